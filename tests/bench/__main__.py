"""`make bench`: runs every benchmark beside its peers and writes docs/BENCHMARKS.md. Read ratios, not seconds."""

from __future__ import annotations

import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from tests.bench.pictures import given_folder

HERE = Path(__file__).resolve().parent
REPORT = HERE.parents[1] / "docs" / "BENCHMARKS.md"
BENCHMARKS = {
    "hashing": ("Bytes to hashes", "camera"),
    "uploads": ("Uploads to recorded verdicts", "camera"),
    "idle": ("Start and idle", None),
    "search": ("Exact search", None),
    "partial": ("Partial copies", "public"),
    "rulebooks": ("Backtest of a rulebook", None),
}
"""Script -> (title, the folder of test pictures it wants)."""
_LIBRARIES = ("pillow", "numpy", "opencv-python-headless", "imagehash", "faiss-cpu", "sqlalchemy", "fastapi")


def main() -> None:
    """Every benchmark, or those named on the command line."""
    names = sys.argv[1:] or list(BENCHMARKS)
    out, pictures = Console(), given_folder()
    sections = []
    for name in names:
        title, wanted = BENCHMARKS[name]
        out.rule(title)
        folder = [str(pictures / wanted)] if pictures and wanted else []
        text = _run([sys.executable, str(HERE / f"{name}.py"), *folder], out)
        sections.append(f"## {title}\n\n`python tests/bench/{name}.py`: {_about(name)}\n\n```\n{text}```\n")
    left_out = [title for name, (title, _) in BENCHMARKS.items() if name not in names]
    REPORT.write_text("\n".join([_head(drawn=pictures is None, left_out=left_out), *sections]))
    out.print(f"wrote {REPORT.relative_to(HERE.parents[1])}")


def _run(command: list[str], out: Console) -> str:
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parents[1]) as process:
        assert process.stdout is not None
        for line in process.stdout:
            out.print(line, end="", markup=False, highlight=False)
            lines.append(line)
    if process.returncode:
        sys.exit(f"{command[1]} failed")
    return "".join(lines)


def _about(name: str) -> str:
    return (HERE / f"{name}.py").read_text().split('"""')[1].strip().split("\n\n")[-1].replace("\n", " ")


def _head(*, drawn: bool, left_out: list[str]) -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    pictures = "drawn by the benchmarks" if drawn else "photographs of a folder that is no part of the repository"
    return (
        "# Benchmarks\n\n"
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}: {_processor()}, Python "
        f"{platform.python_version()}, {libraries}. "
        f"Pictures: {pictures}. The machine is shared: read the ratios of one run, not the absolute figures.\n"
        + (f"\nLeft out of this run: {', '.join(left_out)}.\n" if left_out else "")
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.machine()


if __name__ == "__main__":
    main()
