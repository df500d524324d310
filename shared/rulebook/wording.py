"""The words of a reason: plain texts with a few named places that are filled from facts."""

import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.declaration.faults import did_you_mean
from shared.declaration.text import first_refused
from shared.marked_yaml import Path
from shared.rulebook.catalogue import Scope, catalogue
from shared.rulebook.facts_model import Facts, FindingFacts, StageFacts, Subject, TalentFacts
from shared.rulebook.faults import FaultList

_LONGEST = 120


def stage_label(stage: StageFacts) -> str:
    """`2: upscale`; the tool's name where the stage has none."""
    if stage == StageFacts():
        return "1: not declared"
    name = stage.name or stage.tool
    return f"{stage.number}: {name}" if name else str(stage.number)


def _plain(value: str | None) -> str:
    return (value or "not known").replace("_", " ")


Fill = Callable[[Facts, Any], str]
_OF_ASSET: dict[str, Fill] = {
    "production": lambda facts, _: facts.production,
    "use": lambda facts, _: _plain(facts.use),
    "deliverable": lambda facts, _: _plain(facts.deliverable),
    "story_role": lambda facts, _: _plain(facts.story_role),
    "referred_to": lambda facts, _: ", ".join(r.name for r in facts.rights.refers_to or () if r.name) or "not named",
}


def _stage(fill: Callable[[StageFacts], str]) -> Fill:
    return lambda _, stage: fill(stage)


def _talent(fill: Callable[[TalentFacts], str]) -> Fill:
    return lambda _, talent: fill(talent)


def _finding(fill: Callable[[FindingFacts], str]) -> Fill:
    return lambda _, finding: fill(finding)


_PLACES: dict[Scope, Mapping[str, Fill]] = {
    "asset": _OF_ASSET,
    "stage": _OF_ASSET
    | {
        "stage": _stage(stage_label),
        "tool": _stage(lambda stage: stage.tool or "a tool that is not named"),
        "vendor": _stage(lambda stage: stage.vendor or "a vendor that is not named"),
        "performer": _stage(lambda stage: stage.model.performer or "a performer who is not named"),
    },
    "talent": _OF_ASSET
    | {
        "performer": _talent(lambda talent: talent.name or "a performer who is not named"),
        "treatment": _talent(lambda talent: _plain(talent.treatment)),
    },
    "finding": _OF_ASSET
    | {
        "share": _finding(lambda finding: f"{finding.share_of_upload:.0%}"),
        "coverage": _finding(lambda finding: f"{finding.coverage_of_reference:.0%}"),
        "performer": _finding(lambda finding: finding.performer),
        "media": _finding(lambda finding: finding.media),
        "reason": _finding(lambda finding: _plain(finding.reason)),
    },
}


@dataclass(frozen=True)
class Template:
    """A text with named places."""

    text: str
    parts: tuple[tuple[str, Fill | None], ...]

    def fill(self, facts: Facts, subject: Subject) -> str:
        """The text for one subject. What is filled in came from outside: it is cut short and stripped."""
        return "".join(text + (safe(fill(facts, subject)) if fill else "") for text, fill in self.parts)


def safe(text: str) -> str:
    """What came from outside, cut short and stripped."""
    if first_refused(text) is not None:
        text = "".join("?" if first_refused(c) is not None else c for c in text)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def read_template(text: str, scope: Scope, path: Path, faults: FaultList) -> Template:
    """The template in `text`. A place that is not on the scope's list is a fault."""
    places = _PLACES[scope]
    parts: list[tuple[str, Fill | None]] = []
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as error:
        faults.add(path, f"not a valid text: {error}", "write `{{` and `}}` for plain braces")
        return Template(text, ((text, None),))
    for literal, name, spec, conversion in parsed:
        if name is not None and (name not in places or spec or conversion):
            faults.add(path, f"there is no place `{{{name}}}` here", did_you_mean(name, places))
        parts.append((literal, places.get(name) if name is not None else None))
    return Template(text, tuple(parts))


def in_words(fact: str, scope: Scope) -> str:
    """What a fact is about: `whether it is seen on camera`, `where the tool runs`."""
    spec = catalogue(scope)[fact]
    return f"whether {spec.description}" if set(spec.values) >= {"yes", "no"} else spec.description
