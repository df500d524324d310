"""What the form asks next: the order and the conditions are data (form.yaml), words and choices come from the model."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as filled
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from shared.declaration.messages import nested_model
from shared.declaration.model import Declaration
from shared.marked_yaml import read_yaml

Kind = Literal["choice", "text", "texts", "entries", "section"]
_MISSING = object()


@dataclass(frozen=True)
class Question:
    """One question. `field` is a path such as `stages[].tool`, or `stages[0].tool` once it is asked."""

    field: str
    ask: str
    kind: Kind
    choices: tuple[str, ...] = ()
    optional: bool = False
    when: Mapping[str, tuple[str, ...]] = filled(default_factory=dict)


@cache
def questions() -> tuple[Question, ...]:
    """All questions in the order of asking."""
    text = Path(__file__).with_name("form.yaml").read_text(encoding="utf-8")
    return tuple(_question(entry) for entry in read_yaml(text).data)


def relevant(answers: Mapping[str, Any]) -> list[Question]:
    """The questions that these answers make relevant, each with the path of the entry it is about."""
    return [
        Question(path, question.ask, question.kind, question.choices, question.optional)
        for question in questions()
        for path in _paths(question.field, answers)
        if _is_asked(question, path, answers)
    ]


def next_question(answers: Mapping[str, Any], with_optional: bool = True) -> Question | None:
    """The first relevant question that has no answer yet; None when all is said."""
    return next(
        (
            question
            for question in relevant(answers)
            if _value(answers, question.field) is _MISSING and (with_optional or not question.optional)
        ),
        None,
    )


def answered(answers: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of the answers with one more."""
    return dict(_with(answers, _parts(path), value))


def _question(entry: Mapping[str, Any]) -> Question:
    ask, annotation = _of_model(entry["field"])
    kind, choices = _kind(annotation)
    when = {name: tuple(values) for name, values in entry.get("when", {}).items()}
    return Question(entry["field"], ask, kind, choices, entry.get("optional", False), when)


def _of_model(path: str) -> tuple[str, Any]:
    model: Any = Declaration
    info = None
    for name in path.replace("[]", "").split("."):
        info = model.model_fields[name]
        model = nested_model(info.annotation)
    return (info.description or "", info.annotation) if info else ("", None)


def _kind(annotation: Any) -> tuple[Kind, tuple[str, ...]]:
    """The kind of question that a field's type asks for, with its choices."""
    parts = [part for part in get_args(annotation) if part is not type(None)]
    if get_origin(annotation) is Literal:
        return "choice", tuple(parts)
    if get_origin(annotation) is tuple:
        return ("entries" if nested_model(annotation) else "texts"), ()
    if get_origin(annotation) is Annotated or (parts and len(parts) < len(get_args(annotation))):
        return _kind(parts[0])
    return ("section" if nested_model(annotation) else "text"), ()


def _paths(path: str, answers: Mapping[str, Any]) -> Iterator[str]:
    """The path for every entry that exists: `stages[].tool` as `stages[0].tool`, `stages[1].tool`."""
    head, bracket, rest = path.partition("[]")
    if not bracket:
        parent = path.rpartition(".")[0]
        if parent.endswith("model") and not isinstance(_value(answers, parent), Mapping):
            return
        yield path
        return
    entries = _value(answers, head)
    for index in range(len(entries) if isinstance(entries, list) else 0):
        yield from _paths(f"{head}[{index}]{rest}", answers)


def _is_asked(question: Question, path: str, answers: Mapping[str, Any]) -> bool:
    indices = re.findall(r"\[(\d+)\]", path)
    for name, values in question.when.items():
        here = iter(indices)
        concrete = re.sub(r"\[\]", lambda _, here=here: f"[{next(here, '')}]", name)  # type: ignore[misc]
        if all(_value(answers, each) not in values for each in _paths(concrete, answers)):
            return False
    return True


def _parts(path: str) -> list[str | int]:
    return [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)]


def _value(answers: Any, path: str) -> Any:
    value = answers
    for part in _parts(path):
        if isinstance(part, int):
            value = value[part] if isinstance(value, list) and part < len(value) else _MISSING
        else:
            value = value.get(part, _MISSING) if isinstance(value, Mapping) else _MISSING
    return value


def _with(holder: Any, parts: Sequence[str | int], value: Any) -> Any:
    if not parts:
        return value
    first, rest = parts[0], parts[1:]
    if isinstance(first, int):
        entries = list(holder) if isinstance(holder, list) else []
        entries += [{}] * (first + 1 - len(entries))
        entries[first] = _with(entries[first], rest, value)
        return entries
    inner = dict(holder) if isinstance(holder, Mapping) else {}
    inner[first] = _with(inner.get(first), rest, value)
    return inner
