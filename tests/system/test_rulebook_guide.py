"""The guide to rulebooks, word for word: its files are written, its commands run, and what it prints is compared."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.cli.local import started
from services.cli.session import Session
from tests.drawings import photo, png

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "rulebook.md").read_text()
BLOCKS = re.findall(
    r"```(yaml|console)\n(.*?)```", GUIDE.partition("guide: begin")[2].partition("guide: end")[0], re.DOTALL
)
pytestmark = pytest.mark.slow


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Session]:
    with started(tmp_path / "data") as session:
        yield session


def test_the_guide_does_what_it_says(tmp_path: Path, service: Session) -> None:
    folder = tmp_path / "studio"
    folder.mkdir()
    (folder / "plate.png").write_bytes(png(photo(7)))
    ran = 0
    for kind, text in BLOCKS:
        if kind == "yaml":
            name, _, content = text.partition("\n")
            (folder / name.removeprefix("# ")).write_text(f"{name}\n{content}")
            continue
        for command, expected in commands(text):
            printed = run(command, folder, service)
            for line in expected:
                assert plain(line) in printed, f"$ {command}\n{printed}\n\nlacks: {line}"
            ran += 1
    assert ran >= 12


def commands(block: str) -> Iterator[tuple[str, list[str]]]:
    """Each command with the lines that it must print."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *expected = part.splitlines()
        yield command, [line for line in expected if line.strip()]


def run(command: str, folder: Path, service: Session) -> str:
    """What it prints, on either stream, with single blanks."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLEARFRAME_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    told = {"CLEARFRAME_URL": service.url, "CLEARFRAME_KEY": service.key or "", "PATH": path}
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=kept | told, capture_output=True, text=True, timeout=120, check=False
    )
    return plain(done.stdout + done.stderr)


def plain(text: str) -> str:
    return " ".join(text.split())
