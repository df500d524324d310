"""`clearframe declare`: asks only what the answers so far make relevant, and writes a declaration."""

import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from services.cli import show
from services.cli.app import app
from services.cli.failure import usage
from services.cli.session import Session

if TYPE_CHECKING:
    from shared.declaration.form import Question

_YES, _NO = ("y", "yes"), ("n", "no")


@app.command()
def declare(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="where to write it")] = Path("declaration.yaml"),
    answers: Annotated[Path | None, typer.Option(help="YAML or JSON: what is said already is not asked")] = None,
    optional: Annotated[bool, typer.Option("--optional", help="asks what no rule needs, too")] = False,
    no_input: Annotated[bool, typer.Option("--no-input", help="asks nothing, and tells what stays unsaid")] = False,
    force: Annotated[bool, typer.Option("--force", help="writes over a file that exists")] = False,
) -> None:
    """Asks how generative AI was used, and writes the declaration. An empty answer leaves a question unsaid."""
    session: Session = context.obj
    if file.exists() and not force:
        raise usage(f"{file} exists; name another file, or say --force")
    said = _said(answers) if answers else {}
    if not no_input:
        said = _asked(session, said, with_optional=optional)
    told = _spoken(said)
    _write(session, file, told, unsaid(told))


def unsaid(said: Mapping[str, Any]) -> list[str]:
    """The fields that the rules would want to know, and were not told."""
    from shared.declaration.form import next_question

    fields: list[str] = []
    while (question := next_question(said, with_optional=False)) is not None:
        if question.kind != "section":  # saying nothing of a section says that there is none
            fields.append(question.field)
        said = _with(said, question.field, None)
    return fields


def _said(path: Path) -> dict[str, Any]:
    """What a file says already; it need not be complete."""
    from shared.declaration.parse import InvalidDeclaration, parse_declaration
    from shared.marked_yaml import read_yaml

    try:
        marked = read_yaml(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise usage(f"{path} cannot be read: {error}") from error
    faults = [f"line {fault.place.line}: {fault.message}; {fault.remedy}" for fault in marked.faults]
    data = {} if marked.data is None else marked.data
    try:
        parse_declaration(data)
    except InvalidDeclaration as error:
        faults += [str(fault) for fault in error.faults if fault.field != "production" or "production" in data]
    if faults:
        raise usage(f"{path}:\n" + "\n".join(faults))
    return dict(data)


def _asked(session: Session, said: dict[str, Any], *, with_optional: bool) -> dict[str, Any]:
    from shared.declaration.form import next_question

    while (question := next_question(said, with_optional)) is not None:
        said = _with(said, question.field, _answer(session, question, said))
    return said


def _answer(session: Session, question: "Question", said: Mapping[str, Any]) -> Any:
    """Asks until the answer is one that the declaration takes."""
    ask = question.ask.partition(" (an empty list")[0]
    session.out.print(f"\n[bold]{escape(ask)}[/] [dim]{escape(question.field)}[/]")
    for number, choice in enumerate(question.choices, 1):
        session.out.print(f"  {number}  {choice.replace('_', ' ')}", markup=False)
    while True:
        text = typer.prompt(_hint(question), default="", show_default=False, prompt_suffix=" ").strip()
        try:
            value = answer_from(question, text)
        except ValueError as fault:
            session.out.print(f"[yellow]{escape(str(fault))}[/]")
            continue
        fault_found = _fault(_with(said, question.field, value), question.field)
        if fault_found is None:
            return value
        session.out.print(f"[yellow]{escape(fault_found)}[/]")


def _hint(question: "Question") -> str:
    return {
        "choice": "number or word:",
        "texts": "separated by commas; - for none:",
        "entries": "how many? 0 for none:",
        "section": "y or n:",
    }.get(question.kind, ">")


def answer_from(question: "Question", text: str) -> Any:
    """What a typed text says; None where nothing was said. Raises ValueError with the remedy."""
    if not text:
        return None
    if question.kind == "choice":
        return _choice(question.choices, text)
    if question.kind == "texts":
        return [] if text == "-" else [part.strip() for part in text.split(",") if part.strip()]
    if question.kind == "entries":
        return [{} for _ in range(_count(text))]
    if question.kind == "section":
        return _section(text)
    return text


def _choice(choices: tuple[str, ...], text: str) -> str:
    from shared.declaration.faults import did_you_mean

    word = text.lower().replace(" ", "_").replace("-", "_")
    if text.isdigit() and 1 <= int(text) <= len(choices):
        return choices[int(text) - 1]
    matching = [choice for choice in choices if choice == word] or [c for c in choices if c.startswith(word)]
    if len(matching) == 1:
        return matching[0]
    raise ValueError(did_you_mean(text, choices))


def _count(text: str) -> int:
    if not (text.isdigit() and int(text) <= 50):
        raise ValueError("write a number from 0 to 50; they are asked about one by one")
    return int(text)


def _section(text: str) -> dict[str, Any] | None:
    if text.lower() in _YES:
        return {}
    if text.lower() in _NO:
        return None
    raise ValueError("write y or n")


def _fault(said: Mapping[str, Any], field: str) -> str | None:
    """What the declaration has against this one answer."""
    from shared.declaration.parse import InvalidDeclaration, parse_declaration

    try:
        parse_declaration(said)
    except InvalidDeclaration as error:
        return next((f"{f.message}; {f.remedy}" for f in error.faults if f.field.startswith(field)), None)
    return None


def _with(said: Mapping[str, Any], field: str, value: Any) -> dict[str, Any]:
    from shared.declaration.form import answered

    return answered(said, field, value)


def _spoken(value: Any) -> Any:
    """Without what was left unsaid."""
    if isinstance(value, Mapping):
        return {name: _spoken(part) for name, part in value.items() if part is not None}
    return [_spoken(part) for part in value] if isinstance(value, list | tuple) else value


def _write(session: Session, file: Path, said: dict[str, Any], missing: list[str]) -> None:
    from shared.declaration.parse import InvalidDeclaration, load_declaration

    text = _yaml(said)
    try:
        load_declaration(text)
        file.write_text(text, encoding="utf-8")
    except InvalidDeclaration as error:
        raise usage(f"it cannot be declared like this:\n{error}") from error
    except OSError as error:
        raise usage(f"{file}: {error.strerror}") from error
    if session.json:
        show.emit({"path": str(file), "declaration": said, "unsaid": missing})
        return
    session.out.print(f"\nwrote {escape(str(file))}")
    if missing:
        session.out.print(f"[yellow]unsaid, and read as the worse answer:[/] {escape(', '.join(missing))}")


def _yaml(said: dict[str, Any]) -> str:
    from ruamel.yaml import YAML

    out, yaml = io.StringIO(), YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = sys.maxsize
    yaml.dump(said, out)
    return out.getvalue()
