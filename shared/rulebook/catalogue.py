"""The catalogue of facts, read off the facts model: what a rule may name, with type, allowed values and meaning."""

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from shared.rulebook.facts_model import Facts, FindingFacts, StageFacts, TalentFacts

Scope = Literal["asset", "stage", "talent", "finding"]
FactType = Literal["choice", "text", "number", "texts", "records"]
SUBJECTS: dict[Scope, type[BaseModel]] = {"stage": StageFacts, "talent": TalentFacts, "finding": FindingFacts}


@dataclass(frozen=True)
class FactSpec:
    """One fact. `items` describes the entries of a list of records; an empty text of a declaration is not known."""

    name: str
    scope: Scope
    path: str
    type: FactType
    description: str
    values: tuple[str, ...] = ()
    may_be_unknown: bool = False
    empty_is_unknown: bool = False
    items: Mapping[str, "FactSpec"] | None = None

    def read(self, source: Any) -> Any:
        """The fact's value in the facts of an asset, a stage, a performer or a finding."""
        return attrgetter(self.path)(source)


@cache
def catalogue(scope: Scope) -> Mapping[str, FactSpec]:
    """The facts that a rule `for: <scope>` may name: those of the asset, and those of its subject with a prefix."""
    specs = {spec.name: spec for spec in _walk(Facts, "asset", "", "")}
    if scope in SUBJECTS:
        specs |= {spec.name: spec for spec in _walk(SUBJECTS[scope], scope, f"{scope}.", "")}
    return specs


def _walk(model: type[BaseModel], scope: Scope, prefix: str, path: str) -> Iterator[FactSpec]:
    for name, info in model.model_fields.items():
        annotation, unknown = _without_none(info.annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _walk(annotation, scope, f"{prefix}{name}.", f"{path}{name}.")
            continue
        kind, values, item = _shape(annotation)
        items = {spec.name: spec for spec in _walk(item, scope, "", "")} if item else None
        description = info.description or name
        empty = kind == "text" and model is not FindingFacts
        yield FactSpec(f"{prefix}{name}", scope, f"{path}{name}", kind, description, values, unknown, empty, items)


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, types.UnionType):
        parts = [part for part in get_args(annotation) if part is not type(None)]
        return parts[0], len(parts) < len(get_args(annotation))
    return annotation, False


def _shape(annotation: Any) -> tuple[FactType, tuple[str, ...], type[BaseModel] | None]:
    if get_origin(annotation) is Literal:
        return "choice", get_args(annotation), None
    if get_origin(annotation) is tuple:
        item = get_args(annotation)[0]
        return ("texts", (), None) if item is str else ("records", (), item)
    return ("text", (), None) if annotation is str else ("number", (), None)
