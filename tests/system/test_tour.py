"""The README's first commands and its five minutes, word for word, and what it says comes of them."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from services.cli.local import free_port

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```\n(.*?)```", README.partition("## Five minutes")[2].partition("\n## ")[0], re.DOTALL)
COMMANDS = [
    line for block in BLOCKS for line in block.splitlines() if line.startswith((".venv/bin/clearframe ", "make "))
]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the README's relative paths hold, without the data of this one."""
    folder = tmp_path_factory.mktemp("clone")
    for name in (".venv", "docs", "Makefile", "services", "shared"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture(scope="module")
def demo(clone: Path) -> str:
    """What `make demo ONCE=1` prints."""
    assert "After `make demo ONCE=1`" in README
    done = run("make demo ONCE=1", clone)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def up(clone: Path, demo: str) -> Iterator[tuple[str, str]]:
    """The running service: its address, and what it printed."""
    port = free_port()
    command = [*shlex.split(COMMANDS[0]), "--port", str(port)]
    printed = clone / "printed"
    with printed.open("wb") as output:
        process = subprocess.Popen(command, cwd=clone, env=environment(), stdout=output, stderr=subprocess.STDOUT)
    try:
        run(f"sh -c 'until grep -q answers {printed}; do sleep 0.1; done'", clone)
        yield f"http://127.0.0.1:{port}", printed.read_text()
    finally:
        process.terminate()
        assert process.wait(30) == 0


def environment(url: str = "") -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CLEARFRAME_", "MAKE"))}
    return kept | ({"CLEARFRAME_URL": url} if url else {})


def run(command: str, folder: Path, url: str = "") -> "subprocess.CompletedProcess[str]":
    """As a shell does, but make takes the installation for what it is."""
    words = shlex.split(command, comments=True)
    if words[0] == "make":
        words[1:1] = ["-o", ".venv/.installed"]
    return subprocess.run(words, cwd=folder, env=environment(url), capture_output=True, text=True, timeout=240)


class _Pictures(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.named: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        wanted = {"img": "src", "image": "href"}.get(tag)
        self.named |= {str(value) for name, value in attrs if name == wanted}


def test_the_demo_says_what_the_readme_shows(demo: str) -> None:
    shown = README.partition("verdict   upload")[2].partition("```")[0]
    for outcome, upload, fired in re.findall(r"^(clear|caution|escalate) +(\S+) +((?:[A-Z0-9-]+ )+)", shown, re.M):
        (line,) = [line for line in demo.splitlines() if f" {upload} " in line]
        assert line.split()[0] == outcome
        assert set(fired.split()) <= set(line.split()), line
    assert "Garden, concept: clear -> escalate" in demo
    assert re.search(r"Ledger: \d+ verdicts, intact\. Replay: (\d+) decided again, the same\.", demo)


def test_the_demo_writes_a_report_with_every_picture_it_names(clone: Path, demo: str) -> None:
    report = clone / "clearframe-demo" / "report"
    assert str(Path("clearframe-demo") / "report" / "index.html") in demo.replace("\n", "")
    pictures = _Pictures()
    pictures.feed((report / "index.html").read_text())
    assert len(pictures.named) > 17
    assert [name for name in pictures.named if not (report / name).stat().st_size] == []


def test_the_tour(clone: Path, up: tuple[str, str]) -> None:
    url, printed = up
    assert "Admin key, shown this once and kept in clearframe-data/admin.key" in printed
    add, submit, *prove, rescan = COMMANDS[1:]
    added = run(add, clone, url)
    assert re.fullmatch(r"registered  Night Train  protected  [0-9a-f-]{36}\n", added.stdout), added
    submitted = run(submit, clone, url)
    assert submitted.returncode == 1, submitted
    assert "upload-train-mirrored.jpg.jpg: escalate Harbour at dusk, plate 12  S-MATCH-WHOLE" in submitted.stdout
    listed, *shown, watch = prove
    verdicts = run(listed, clone, url)
    (verdict_id,) = set(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", verdicts.stdout))
    said = [run(command.replace("ID", verdict_id), clone, url) for command in shown]
    assert [done.returncode for done in said] == [0, 0, 0], said
    assert "S-MATCH-WHOLE" in said[0].stdout
    assert "same" in said[1].stdout
    assert "intact: 1 entries" in said[2].stdout
    assert "Harbour at dusk" in first_line(watch, clone, url)
    again = run(rescan, clone, url)
    assert again.returncode == 0, again


def first_line(command: str, folder: Path, url: str) -> str:
    """Of a command that goes on for ever."""
    words = shlex.split(command, comments=True)
    with subprocess.Popen(words, cwd=folder, env=environment(url), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            return process.stdout.readline()
        finally:
            process.terminate()


def test_the_tour_has_no_command_that_is_not_tried_here() -> None:
    tried = ["up", "reference", "submit", "verdict", "verdict", "replay", "ledger", "watch", "rescan"]
    assert [shlex.split(command)[1] for command in COMMANDS] == tried
