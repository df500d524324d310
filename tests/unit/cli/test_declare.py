"""`clearframe declare`: the questions, the words it takes for answers, and the file it writes."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from services.cli.app import app
from services.cli.declare import answer_from, unsaid
from services.cli.failure import CommandFailed
from shared.declaration.form import Question
from shared.declaration.parse import load_declaration_file
from tests.screenings import MOOD_BOARD

ANSWERS = """atlas
Harbour at dusk
yes
mood board
1
generated
none
no
no
0
no
no
none
0
1
generate
house-diffusion
in house
enterprise
no
y
yes
1
public
n

"""


def run(*words: object, given: str = "") -> Result:
    return CliRunner().invoke(app, [str(word) for word in ("declare", *words)], input=given)


def refusal(result: Result) -> str:
    assert isinstance(result.exception, CommandFailed)
    assert result.exception.code == 2
    return str(result.exception)


def test_the_questions_are_asked_and_the_file_is_written(tmp_path: Path) -> None:
    file = tmp_path / "d.yaml"
    result = run(file, given=ANSWERS)
    assert result.exit_code == 0, result.output
    declared = load_declaration_file(file)
    assert (declared.production, declared.use, declared.deliverable) == ("atlas", "mood_board", "temporary")
    assert (declared.stages[0].tool, declared.stages[0].human_control) == ("house-diffusion", "yes")
    assert "unsaid" not in result.output
    assert "talent[0]" not in result.output


def test_an_answer_that_does_not_fit_is_asked_again_with_a_remedy(tmp_path: Path) -> None:
    file = tmp_path / "d.yaml"
    wrong = ANSWERS.replace("atlas\n", "\natlas\n", 1).replace("mood board", "mod bord\nmood board")
    result = run(file, given=wrong)
    assert result.exit_code == 0, result.output
    assert "did you mean `mood_board`?" in result.output
    assert load_declaration_file(file).production == "atlas"


def test_answers_of_a_file_are_not_asked_and_what_stays_unsaid_is_named(tmp_path: Path) -> None:
    known = tmp_path / "known.json"
    known.write_text(json.dumps({name: MOOD_BOARD[name] for name in MOOD_BOARD if name != "truth"}))
    result = run(tmp_path / "d.yaml", "--answers", known, "--no-input")
    assert result.exit_code == 0, result.output
    assert "unsaid, and read as the worse answer: truth.misleading_as_real, truth.factual_programme" in result.output
    assert load_declaration_file(tmp_path / "d.yaml").title == MOOD_BOARD["title"]


def test_what_is_wrong_with_the_answers_is_told_before_anything_is_written(tmp_path: Path) -> None:
    known, file = tmp_path / "known.yaml", tmp_path / "d.yaml"
    known.write_text("use: mood_bord\n")
    assert "did you mean `mood_board`?" in refusal(run(file, "--answers", known, "--no-input"))
    known.write_text("use: mood_board\n")
    assert "production" in refusal(run(file, "--answers", known, "--no-input"))
    assert not file.exists()


def test_a_file_that_exists_is_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "d.yaml"
    file.write_text("mine")
    assert "--force" in refusal(run(file, given=ANSWERS))
    assert file.read_text() == "mine"
    assert run(file, "--force", given=ANSWERS).exit_code == 0


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("choice", "2", "final"),
        ("choice", "Temp", "temporary"),
        ("choice", "", None),
        ("texts", "de, fr", ["de", "fr"]),
        ("texts", "-", []),
        ("entries", "2", [{}, {}]),
        ("entries", "0", []),
        ("section", "y", {}),
        ("section", "n", None),
    ],
)
def test_words_that_are_taken(kind: Any, text: str, value: Any) -> None:
    assert answer_from(Question("x", "?", kind, ("temporary", "final")), text) == value


@pytest.mark.parametrize(("kind", "text"), [("choice", "3"), ("entries", "-1"), ("entries", "many"), ("section", "?")])
def test_words_that_are_not(kind: Any, text: str) -> None:
    with pytest.raises(ValueError, match=r"use one of|a number|y or n"):
        answer_from(Question("x", "?", kind, ("temporary", "final")), text)


def test_nothing_said_leaves_all_that_the_rules_ask_first() -> None:
    assert unsaid({"genai_used": "no"}) == ["production", "title", "use", "deliverable"]
