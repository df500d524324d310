"""The command line itself: options anywhere, scopes in words, exit codes, quick help."""

import subprocess
import sys
from pathlib import Path

import pytest

from services.cli.app import hoisted
from services.cli.failure import CommandFailed
from services.cli.rescan import scope_of, targets_of
from services.cli.session import FAILED, USAGE, session_from
from services.cli.show import finding_line, needs, rules


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (["submit", "a.jpg", "--json"], ["--json", "submit", "a.jpg"]),
        (["watch", "--url", "http://x", "--from", "now"], ["--url", "http://x", "watch", "--from", "now"]),
        (["up", "--data=there", "--quiet"], ["--data=there", "--quiet", "up"]),
        (["submit", "--", "--json"], ["submit", "--", "--json"]),
    ],
)
def test_global_options_may_stand_anywhere(line: list[str], expected: list[str]) -> None:
    assert hoisted(line) == expected


def test_a_scope_is_read_from_words() -> None:
    scope = scope_of(["production=atlas", "outcome=clear", "since=2026-10-01T12:00:00+00:00"])
    assert scope == {"production": "atlas", "outcome": "clear", "since": "2026-10-01T12:00:00+00:00"}


@pytest.mark.parametrize("word", ["prodution=atlas", "atlas", "since=yesterday"])
def test_a_wrong_scope_is_named(word: str) -> None:
    with pytest.raises(CommandFailed, match=word.partition("=")[0]) as failed:
        scope_of([word])
    assert failed.value.code == USAGE


def test_what_to_take_anew_is_checked() -> None:
    assert targets_of("references, rulebook") == ["references", "rulebook"]
    with pytest.raises(CommandFailed, match="engines"):
        targets_of("engines")


def test_the_key_of_a_service_on_this_machine_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLEARFRAME_KEY", raising=False)
    (tmp_path / "admin.key").write_text("cf_secret\n")
    assert session_from(None, None, tmp_path, json=False, quiet=False).key == "cf_secret"
    assert session_from(None, "given", tmp_path, json=False, quiet=False).key == "given"


def test_rules_are_listed_once_the_gravest_first_and_discharged_ones_in_brackets() -> None:
    reasons = [
        {"rule": "M-LOW-1", "outcome": "clear"},
        {"rule": "A-FIN-1", "outcome": "escalate", "discharged_by": ["d"]},
        {"rule": "P2", "outcome": "escalate"},
        {"rule": "P2", "outcome": "escalate"},
    ]
    assert rules({"reasons": reasons}) == "(A-FIN-1) P2 M-LOW-1"


def test_needs_and_findings_in_words() -> None:
    assert needs([["rights_clearance"], ["written_approval", "legal_review"]]) == (
        "rights clearance, or written approval and legal review"
    )
    assert (
        finding_line({"kind": "unscreenable", "reason": "truncated", "detail": "cut"}) == "unscreenable: truncated cut"
    )


def test_an_unreachable_service_exits_with_3(tmp_path: Path) -> None:
    done = _run("--data", str(tmp_path), "--url", "http://127.0.0.1:9", "verdict", "list")
    assert (done.returncode, done.stdout) == (FAILED, "")
    assert "clearframe up" in done.stderr


def test_wrong_usage_exits_with_2(tmp_path: Path) -> None:
    assert _run("submit").returncode == USAGE
    done = _run("submit", str(tmp_path), "-d", str(tmp_path / "none.yaml"))
    assert done.returncode == USAGE
    assert "none.yaml" in done.stderr


def test_help_imports_nothing_heavy() -> None:
    probe = (
        "import sys; sys.argv = ['clearframe', '--help']\n"
        "from services.cli import main\n"
        "try: main()\n"
        "except SystemExit: print([m for m in ('cv2', 'numpy', 'fastapi', 'sqlalchemy', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")


def _run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "services", *arguments], capture_output=True, text=True, check=False)
