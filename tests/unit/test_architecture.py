"""ARCHITECTURE.md is true: an upload's way through each service is ten files at most, each called by one above it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_SERVICE = re.compile(r"^\*\*(\w+)\*\*")
_ROW = re.compile(r"^\| \d+ \| `([^`]+)`")


def _ways() -> dict[str, list[str]]:
    """Service -> its files in order."""
    ways: dict[str, list[str]] = {}
    for line in (ROOT / "ARCHITECTURE.md").read_text().splitlines():
        if service := _SERVICE.match(line):
            ways[service[1]] = way = []
        elif row := _ROW.match(line):
            way.append(row[1])
    return ways


def _led_to(file: str) -> set[str]:
    """What it imports; and files of its folder that its first words name, where a process lies between."""
    tree = ast.parse((ROOT / file).read_text())
    named = re.findall(r"`(\w+\.py)`", ast.get_docstring(tree) or "")
    found = {str(Path(file).with_name(name)) for name in named}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            modules = [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
            found |= {f"{module.replace('.', '/')}.py" for module in modules}
    return found


def test_every_service_has_its_way() -> None:
    assert list(_ways()) == ["ingest", "screening", "verdict"]


@pytest.mark.parametrize(("service", "way"), _ways().items())
def test_a_way_is_short_and_can_be_followed(service: str, way: list[str]) -> None:
    assert 1 < len(way) <= 10
    known: set[str] = set()
    for file in way:
        assert not known or file in known, f"{service}: no file above leads to {file}"
        known |= _led_to(file)
