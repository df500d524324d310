"""`clearframe rulebook validate|test|explain|diff`: rulebooks as files, without a service."""

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
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
    from shared.rulebook.model import Rule, Rulebook

rulebooks = typer.Typer(no_args_is_help=True, help="Rulebooks: check, explain, compare, try out, put in force.")
app.add_typer(rulebooks, name="rulebook")

SHIPPED_WORD = "shipped"
_MOST_EXAMPLES = 40
_FEW = 6
File = Annotated[str, typer.Argument(metavar="PATH", help="a YAML file or a folder of them; `shipped` is ours")]


@rulebooks.command()
def validate(context: typer.Context, path: File) -> None:
    """Reads a rulebook and runs its examples; tells every fault with file, line, column and remedy."""
    session: Session = context.obj
    book = loaded(session, path)
    version = book.version
    if session.json:
        told = {"rules": len(book.rules), "in_shadow": book.in_shadow, "faults": []}
        warnings = [warning.__dict__ for warning in book.warnings]
        show.emit({"valid": True, **version.model_dump(), **told, "warnings": warnings})
    else:
        shadow = f" ({len(book.in_shadow)} in shadow)" if book.in_shadow else ""
        counted = _count(len(book.rules), "rule")
        session.out.print(f"[green]valid[/]: {version.id} {version.version}, {counted}{shadow}", markup=True)


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
        [escape(rule.id), _outcome(rule), ", ".join(rule.cites), str(fires), str(misses)]
        for rule, fires, misses in rows
    ]
    session.out.print(show.table(book.title, ("rule", "outcome", "cites", "fires", "near misses"), cells))
    session.out.print(f"[green]passed[/]: {_count(counts.total(), 'example')} of {_count(len(rows), 'rule')}")


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
        return _warned(session, load_rulebook(Path(path)))
    except OSError as error:
        raise usage(f"{path}: {error.strerror}") from error
    except InvalidRulebook as error:
        if session.json:
            show.emit({"valid": False, "faults": [fault.__dict__ for fault in error.faults]})
        raise CommandFailed(_faults(error.faults), USAGE) from error


def _outcome(rule: "Rule") -> str:
    told = show.outcome(rule.outcome.value)
    return f"{told}, in shadow" if rule.shadow else told


def _faults(faults: "Sequence[RulebookFault]") -> str:
    return "\n".join([f"{_count(len(faults), 'fault')}; nothing was changed", *map(_fault, faults)])


def _fault(fault: "RulebookFault") -> str:
    return f"  {fault.where}: {fault.message}\n      {fault.remedy}"


def _warned(session: Session, book: "Rulebook") -> "Rulebook":
    if book.warnings and not session.json and not session.quiet:
        typer.echo("\n".join([_count(len(book.warnings), "warning"), *map(_fault, book.warnings)]), err=True)
    return book


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


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
    if rule.in_shadow:
        out.print("  [yellow]in shadow[/]  recorded beside each verdict, never counting")
    if rule.milder is not None:
        _print_lines(session, f"only {rule.milder.outcome} when", rule.milder.when)
    out.print(f"  [dim]says[/]       {escape(rule.because)}")
    if rule.outcome != "clear":
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
        moved = f"{show.outcome(case.before)} -> {show.outcome(case.after)}"
        outcome = f"still {show.outcome(case.after)}" if case.before is case.after else moved
        rules = moved_rules(case.gained, case.lost)
        out.print(f"  {escape(case.rule)}: {escape(case.example)}\n    {outcome}  {escape(rules)}")
    if len(found.examples) > _MOST_EXAMPLES:
        out.print(f"  ... and {len(found.examples) - _MOST_EXAMPLES} more (--json shows all)")


def _print_rule_change(session: Session, change: "RuleChange") -> None:
    mark = {"added": "[green]added[/]  ", "removed": "[red]removed[/]", "changed": "[yellow]changed[/]"}[change.change]
    session.out.print(f"{mark} [bold]{escape(change.rule)}[/]  {escape(change.title)}  {show.outcome(change.outcome)}")
    for field in change.fields:
        for sign, line in _changed_lines(_value_lines(field.before), _value_lines(field.after)):
            session.out.print(f"    {sign} {field.field.replace('_', ' ')}: {line}", markup=False)


def _changed_lines(before: list[str], after: list[str]) -> Iterator[tuple[str, str]]:
    """The lines that went and came; those that stayed are left out."""
    for _, start, end, new_start, new_end in SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
        if before[start:end] != after[new_start:new_end]:
            yield from (("-", line) for line in before[start:end])
            yield from (("+", line) for line in after[new_start:new_end])


def moved_rules(gained: Sequence[str], lost: Sequence[str]) -> str:
    """`P3 fires now; W-3 no longer fires`; of many, the first few."""
    told = [f"{_few(rules)} {word}" for rules, word in ((gained, "fires now"), (lost, "no longer fires")) if rules]
    return "; ".join(told)


def _few(rules: Sequence[str]) -> str:
    more = f" and {len(rules) - _FEW} more" if len(rules) > _FEW else ""
    return ", ".join(rules[:_FEW]) + more


def _value_lines(value: Any) -> list[str]:
    if isinstance(value, list) and value and all(isinstance(line, str) for line in value):
        return value
    if isinstance(value, dict):
        return [f"{name}: {'; '.join(_value_lines(part))}" for name, part in value.items()]
    return ["(none)" if value in (None, [], ()) else str(value)]
