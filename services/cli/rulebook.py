"""`clearframe rulebook validate|test|explain|diff`: rulebooks as files, without a service."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from services.cli import show
from services.cli.app import app
from services.cli.failure import CommandFailed, usage
from services.cli.session import USAGE, Session

if TYPE_CHECKING:
    from shared.rulebook.diff import RulebookDiff, RuleChange
    from shared.rulebook.explain import Explanation
    from shared.rulebook.faults import RulebookFault
    from shared.rulebook.model import Rulebook

rulebooks = typer.Typer(no_args_is_help=True, help="Rulebooks: check, explain, compare, try out, put in force.")
app.add_typer(rulebooks, name="rulebook")

SHIPPED_WORD = "shipped"
_MOST_EXAMPLES = 40
File = Annotated[str, typer.Argument(metavar="PATH", help="a YAML file or a folder of them; `shipped` is ours")]


@rulebooks.command()
def validate(context: typer.Context, path: File) -> None:
    """Reads a rulebook and runs its examples; tells every fault with file, line, column and remedy."""
    session: Session = context.obj
    book = loaded(session, path)
    version = book.version
    if session.json:
        show.emit({"valid": True, **version.model_dump(), "rules": len(book.rules), "faults": []})
    else:
        session.out.print(f"[green]valid[/]: {version.id} {version.version}, {len(book.rules)} rules", markup=True)


@rulebooks.command()
def test(context: typer.Context, path: File = SHIPPED_WORD) -> None:
    """Runs every example and lists, for each rule, what it cites and how many of its examples did as they say."""
    from shared.rulebook.written import as_written

    session: Session = context.obj
    book = loaded(session, path)  # an example that does otherwise is a fault
    counts = Counter((rule, group) for rule, group, _ in as_written(book).examples())
    rows = [(rule, counts[rule.id, "fires"], counts[rule.id, "near_miss"]) for rule in book.rules]
    if session.json:
        for rule, fires, misses in rows:
            show.emit({"rule": rule.id, "cites": list(rule.cites), "fires": fires, "near_miss": misses, "passed": True})
        return
    cells = [
        [escape(rule.id), show.outcome(rule.outcome.value), ", ".join(rule.cites), str(fires), str(misses)]
        for rule, fires, misses in rows
    ]
    session.out.print(show.table(book.title, ("rule", "outcome", "cites", "fires", "near misses"), cells))
    session.out.print(f"[green]passed[/]: {counts.total()} examples of {len(rows)} rules")


@rulebooks.command()
def diff(
    context: typer.Context,
    before: Annotated[str, typer.Argument(metavar="OLD", help="a file, a folder, or `shipped`")],
    after: Annotated[str, typer.Argument(metavar="NEW", help="a file, a folder, or `shipped`")],
) -> None:
    """Rules that came, went or changed, and the examples that come out otherwise."""
    from shared.rulebook.diff import diff as compared

    session: Session = context.obj
    found = compared(loaded(session, before), loaded(session, after))
    if session.json:
        show.emit(found.model_dump(mode="json"))
    else:
        _print_diff(session, found)


@rulebooks.command()
def explain(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="a rule such as P3, or the id of a verdict or of its asset")],
    path: Annotated[str, typer.Option("--rulebook", "-r", metavar="PATH", help="where the rule stands")] = SHIPPED_WORD,
) -> None:
    """A rule, or the reasons of a verdict, in a producer's words."""
    from services.cli.rulebook_live import explain_verdict
    from shared.rulebook.explain import explain as explained
    from shared.rulebook.written import as_written

    session: Session = context.obj
    if _is_id(what):
        explain_verdict(session, what)
        return
    rules = as_written(loaded(session, path)).rules
    found = [explained(rule) for rule_id, rule in rules.items() if what in (rule_id, rule_id.partition("/")[0])]
    if not found:
        from shared.declaration.faults import did_you_mean

        raise usage(f"there is no rule {what}; {did_you_mean(what, rules)}")
    for one in found:
        if session.json:
            show.emit(one.model_dump(mode="json"))
        else:
            _print_rule(session, one)


def loaded(session: Session, path: str) -> "Rulebook":
    """The rulebook at a path, or the shipped one. Ends the command with every fault."""
    from shared.rulebook.faults import InvalidRulebook
    from shared.rulebook.loader import load_rulebook, shipped_rulebook

    if path == SHIPPED_WORD and not Path(path).exists():
        return shipped_rulebook()
    try:
        return load_rulebook(Path(path))
    except OSError as error:
        raise usage(f"{path}: {error.strerror}") from error
    except InvalidRulebook as error:
        if session.json:
            show.emit({"valid": False, "faults": [fault.__dict__ for fault in error.faults]})
        raise CommandFailed(_faults(error.faults), USAGE) from error


def _faults(faults: "Sequence[RulebookFault]") -> str:
    lines = [f"{len(faults)} fault{'s' if len(faults) > 1 else ''}; nothing was changed"]
    for fault in faults:
        lines += [f"  {fault.file}:{fault.line}:{fault.column}: {fault.path}: {fault.message}", f"      {fault.remedy}"]
    return "\n".join(lines)


def _is_id(what: str) -> bool:
    from uuid import UUID

    try:
        UUID(what)
    except ValueError:
        return False
    return True


def _print_rule(session: Session, rule: "Explanation") -> None:
    out = session.out
    out.print(f"[bold]{escape(rule.rule)}[/]  {escape(rule.title)}  {show.outcome(rule.outcome)}")
    out.print(f"  [dim]protects[/]   {rule.protects}; encodes {', '.join(rule.cites)}; asked of {rule.asked_of}")
    _print_lines(session, "fires when", rule.when)
    if rule.outcome != "clear":
        out.print("             [dim]What is not known counts as if it were so.[/]")
    if rule.milder is not None:
        _print_lines(session, f"only {rule.milder.outcome} when", rule.milder.when)
    out.print(f"  [dim]says[/]       {escape(rule.because)}")
    out.print(f"  [dim]lifted by[/]  {escape(rule.lifted_by)}")
    if rule.to_do:
        out.print(f"  [dim]to do[/]      {escape(rule.to_do)}")
    _print_lines(session, "for example", rule.fires)
    _print_lines(session, "but not", rule.near_miss)
    out.print()


def _print_lines(session: Session, label: str, lines: Sequence[str]) -> None:
    session.out.print(f"  [dim]{label}[/]")
    for line in lines:
        session.out.print(f"             {line}", markup=False)


def _print_diff(session: Session, found: "RulebookDiff") -> None:
    out = session.out
    out.print(f"{found.before.id} {found.before.version} -> {found.after.id} {found.after.version}")
    for change in found.rules:
        _print_rule_change(session, change)
    if not found.rules:
        out.print("no rule changes")
    out.print(f"{len(found.examples)} of {found.examples_compared} examples come out otherwise")
    for case in found.examples[:_MOST_EXAMPLES]:
        rules = [f"+{rule}" for rule in case.gained] + [f"-{rule}" for rule in case.lost]
        outcome = f"{show.outcome(case.before)} -> {show.outcome(case.after)}"
        out.print(f"  {escape(case.rule)}: {escape(case.example)}\n    {outcome}  {escape(' '.join(rules))}")
    if len(found.examples) > _MOST_EXAMPLES:
        out.print(f"  ... and {len(found.examples) - _MOST_EXAMPLES} more (--json shows all)")


def _print_rule_change(session: Session, change: "RuleChange") -> None:
    mark = {"added": "[green]added[/]  ", "removed": "[red]removed[/]", "changed": "[yellow]changed[/]"}[change.change]
    session.out.print(f"{mark} [bold]{escape(change.rule)}[/]  {escape(change.title)}  {show.outcome(change.outcome)}")
    for field in change.fields:
        for sign, value in (("-", field.before), ("+", field.after)):
            for line in _value_lines(value):
                session.out.print(f"    {sign} {field.field}: {line}", markup=False)


def _value_lines(value: Any) -> list[str]:
    if isinstance(value, list) and value and all(isinstance(line, str) for line in value):
        return value
    if isinstance(value, dict):
        return [f"{name}: {'; '.join(_value_lines(part))}" for name, part in value.items()]
    return ["(none)" if value in (None, [], ()) else str(value)]
