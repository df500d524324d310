"""`clearframe check`: the judgement of an upload on one file, with exit codes, and nothing left behind."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from PIL import ImageOps
from typer.testing import CliRunner, Result

from services.cli.app import app, hoisted
from services.cli.failure import CommandFailed
from tests.drawings import jpeg, photo, png, poster
from tests.screenings import MOOD_BOARD


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A declaration that is clear, two protected works, one that is too poor, and files to check."""
    scratch = tmp_path / "scratch"
    for name in ("works", "scratch"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    (tmp_path / "mood.json").write_text(json.dumps(MOOD_BOARD))
    (tmp_path / "works" / "one.png").write_bytes(png(poster(1)))
    (tmp_path / "works" / "blank.png").write_bytes(png(poster(1).point(lambda _: 128)))
    (tmp_path / "own.png").write_bytes(png(photo(9)))
    (tmp_path / "copy.jpg").write_bytes(jpeg(ImageOps.mirror(poster(1))))
    return tmp_path


def check(folder: Path, name: str, *words: str) -> Result:
    line = ["check", str(folder / name), "-d", str(folder / "mood.json"), *words]
    return CliRunner().invoke(app, hoisted(line))


def told(result: Result) -> Any:
    return json.loads(result.stdout)


@pytest.mark.slow
def test_a_file_of_ones_own_is_clear_and_a_mirrored_copy_escalates(folder: Path) -> None:
    works = ("--references", str(folder / "works"), "--json")
    own, copy = check(folder, "own.png", *works), check(folder, "copy.jpg", *works)
    assert (own.exit_code, copy.exit_code) == (0, 1), own.output + copy.output
    assert told(own)["outcome"] == "clear"
    verdict = told(copy)
    assert [reason["rule"] for reason in verdict["reasons"]] == ["S-MATCH-WHOLE"]
    assert verdict["findings"][0]["reference"]["title"] == "one"
    assert verdict["findings"][0]["transform"] == "mirrored"
    assert "blank.png: not compared with" in copy.stderr
    assert list((folder / "scratch").iterdir()) == []


@pytest.mark.slow
def test_rules_and_tools_may_be_given_and_any_bytes_are_judged(folder: Path) -> None:
    (folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    (folder / "tools.yaml").write_text(
        "tools: [{vendor: in house, tool: house-diffusion, environment: consumer, stores_reuses_or_trains: no}]"
    )
    result = check(folder, "bad.png", "--tools", str(folder / "tools.yaml"))
    assert result.exit_code == 1
    assert "S-UNSCREENABLE" in result.output
    assert "P3" in result.output
    assert "compared with no works" in result.output


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("none.png", (), "no such file"),
        ("own.png", ("--references", "nowhere"), "no such folder"),
        ("own.png", ("--rulebook", "nowhere.yaml"), "nowhere.yaml"),
        ("own.png", ("--tools", "nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_bad_input_is_named(folder: Path, name: str, words: tuple[str, ...], message: str) -> None:
    failed = check(folder, name, *words).exception
    assert isinstance(failed, CommandFailed)
    assert failed.code == 2
    assert message in str(failed)


def test_a_wrong_declaration_is_told_field_by_field(folder: Path) -> None:
    (folder / "mood.json").write_text('{"production": "atlas", "use": "moodboard", "deliverables": "final"}')
    failed = check(folder, "own.png").exception
    assert isinstance(failed, CommandFailed)
    assert failed.code == 2
    assert "did you mean `mood_board`?" in str(failed)
    assert "did you mean `deliverable`?" in str(failed)
