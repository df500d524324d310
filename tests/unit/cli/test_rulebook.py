"""`clearframe rulebook` on files: faults with their places, examples counted, rules and changes in words."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from services.cli import app as command_line
from services.cli.failure import CommandFailed

SMALL = Path(__file__).parents[3] / "docs" / "examples" / "small-studio.yaml"


def run(*words: object) -> Result:
    return CliRunner().invoke(command_line.app, command_line.hoisted(["rulebook", *map(str, words)]))


def test_a_good_rulebook_is_valid_and_its_examples_are_counted() -> None:
    assert "valid: small-studio 1.0.0, 3 rules" in run("validate", SMALL).output
    lines = [json.loads(line) for line in run("test", SMALL, "--json").output.splitlines()]
    assert [line["rule"] for line in lines] == ["TOOLS", "FACES", "COPIES"]
    assert all(line["passed"] and line["fires"] and line["near_miss"] for line in lines)
    assert "examples of 3 rules" in run("test", SMALL).output


def test_every_fault_is_told_with_file_line_column_and_remedy(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(SMALL.read_text().replace("outcome: caution", "outcome: cautious").replace("genai_used:", "genai:"))
    result = run("validate", path)
    assert isinstance(result.exception, CommandFailed)
    assert result.exception.code == 2
    told = str(result.exception)
    assert "mine.yaml:" in told
    assert "did you mean" in told
    found = json.loads(run("validate", path, "--json").output)
    assert not found["valid"]
    assert len(found["faults"]) > 1
    assert {"file", "line", "column", "path", "message", "remedy"} == set(found["faults"][0])


def test_a_missing_file_is_wrong_usage(tmp_path: Path) -> None:
    result = run("test", tmp_path / "none.yaml")
    assert isinstance(result.exception, CommandFailed)
    assert result.exception.code == 2


def test_a_rule_is_explained_with_its_variants() -> None:
    output = run("explain", "P3").output
    assert "P3/sensitive-inputs" in output
    assert "the environment the tool runs in: consumer" in output
    assert "lifted by  a written approval" in output
    explained = json.loads(run("explain", "P3/sensitive-inputs", "--json").output)
    assert (explained["protects"], explained["outcome"]) == ("personal data", "escalate")


def test_an_unknown_rule_is_named_with_a_suggestion() -> None:
    result = run("explain", "A-TALL-1")
    assert isinstance(result.exception, CommandFailed)
    assert "did you mean `A-TAL-1`?" in str(result.exception)


def test_a_diff_reads_as_words(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    text = SMALL.read_text().replace("version: 1.0.0", "version: 1.1.0")
    path.write_text(text.replace("outcome: caution", "outcome: escalate", 1))
    output = run("diff", SMALL, path).output
    assert "small-studio 1.0.0 -> small-studio 1.1.0" in output
    assert "changed TOOLS" in output
    assert "- outcome: caution" in output
    assert "+ outcome: escalate" in output
    assert "caution -> escalate" in output
    assert "no rule changes" in run("diff", SMALL, SMALL).output


def test_a_diff_shows_the_lines_that_changed_and_which_rules_fire_now(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    text = SMALL.read_text().replace("[house-diffusion, house-upscaler]", "[house-diffusion]")
    path.write_text(text.replace("{tool: house-upscaler}", "{tool: house-diffusion}"))
    lines = [line.strip() for line in run("diff", SMALL, path).output.splitlines()]
    assert "- when:   the tool's name: house-diffusion or house-upscaler" in lines
    assert "+ when:   the tool's name: house-diffusion" in lines
    assert not any("generative AI was used" in line for line in lines if line.startswith(("- when", "+ when")))
    assert "TOOLS: the tool's name: house-upscaler" in lines
    assert "clear -> caution  TOOLS fires now" in lines


def test_a_rule_that_never_fires_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    text = SMALL.read_text().replace("{genai_used: yes, talent.", "{genai_used: yes, not: {genai_used: yes}, talent.")
    fires = "- {declare: {genai_used: unsure}, talent: {name: A}}"
    path.write_text(text.replace("- talent: {name: A. Performer, treatment: re_ageing}", fires))
    result = run("validate", path)
    assert "valid: small-studio 1.0.0, 3 rules" in result.stdout
    assert "1 warning" in result.stderr
    assert "mine.yaml:40:5: rules[1].when: `FACES` can never fire" in result.stderr
    (warning,) = json.loads(run("validate", path, "--json").stdout)["warnings"]
    assert (warning["line"], warning["path"]) == (40, "rules[1].when")


def test_a_rule_in_shadow_is_told_wherever_rules_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(SMALL.read_text().replace("outcome: caution", "outcome: caution\n    shadow: true", 1))
    assert "3 rules (1 in shadow)" in run("validate", path).output
    assert "caution, in shadow" in run("test", path).output
    assert "recorded beside each verdict, never counting" in run("explain", "TOOLS", "--rulebook", path).output
    assert "FACES" in run("explain", "FACES", "--rulebook", path).output
