"""A rule in a producer's words: when it fires, what follows, what lifts it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.frozen import Frozen
from shared.rulebook.catalogue import FactSpec, Scope, catalogue
from shared.rulebook.model import Priority, RuleText
from shared.rulebook.written import example_in_words
from shared.verdicts import DocumentKind

_INDENT = "  "
_ASKED_OF: dict[Scope, str] = {
    "asset": "the upload as a whole",
    "stage": "each stage of the workflow",
    "talent": "each performer",
    "finding": "each finding of the screening",
}
_PROTECTS: dict[Priority, str] = {
    "personal_data": "personal data",
    "creative_rights": "creative rights",
    "performers_and_unions": "performers and unions",
    "audience_trust": "the audience's trust",
}


class MilderCase(Frozen):
    """Where the rule has a lower outcome."""

    when: tuple[str, ...]
    outcome: str


class Explanation(Frozen):
    """One rule for people. `when` is a list of lines, deeper ones indented; `lifted_by` a sentence."""

    rule: str
    title: str
    cites: tuple[str, ...]
    protects: str
    asked_of: str
    when: tuple[str, ...]
    outcome: str
    milder: MilderCase | None
    in_shadow: bool
    because: str
    lifted_by: str
    to_do: str | None
    fires: tuple[str, ...]
    near_miss: tuple[str, ...]


def explain(rule: RuleText) -> Explanation:
    """The rule in words."""
    milder = rule.milder
    return Explanation(
        rule=rule.id,
        title=rule.title,
        cites=tuple(rule.cites or [rule.id.partition("/")[0]]),
        protects=_PROTECTS[rule.serves],
        asked_of=_ASKED_OF[rule.scope],
        when=condition_in_words(rule.when, rule.scope),
        outcome=rule.outcome,
        milder=MilderCase(when=condition_in_words(milder.when, rule.scope), outcome=milder.outcome) if milder else None,
        in_shadow=rule.shadow,
        because=rule.because,
        lifted_by=lifted_by(rule.needs, two=rule.confirmed_by_two, very_file=rule.for_this_very_file),
        to_do=rule.to_do,
        fires=tuple(map(example_in_words, rule.examples.fires)),
        near_miss=tuple(map(example_in_words, rule.examples.near_miss)),
    )


def lifted_by(needs: Sequence[Sequence[DocumentKind]], *, two: bool = False, very_file: bool = False) -> str:
    """`a written approval together with a legal review, or a rights clearance`."""
    if not needs:
        return "nothing; only a change of the facts"
    text = ", or ".join(" together with ".join(_a(kind) for kind in alternative) for alternative in needs)
    text += ", for this very file" if very_file else ""
    return f"{text}, once a second person has confirmed it" if two else text


def condition_in_words(when: Any, scope: Scope) -> tuple[str, ...]:
    """The lines of a condition; every line of one level must hold."""
    return tuple(_lines(when, catalogue(scope), "")) or ("always",)


def _lines(when: Mapping[str, Any], facts: Mapping[str, FactSpec], indent: str) -> Iterator[str]:
    for key, value in when.items():
        if key == "not":
            yield f"{indent}not all of this:" if len(value) > 1 else f"{indent}not:"
            yield from _lines(value, facts, indent + _INDENT)
        elif key in ("all", "any"):
            yield f"{indent}{'all' if key == 'all' else 'at least one'} of these:"
            for part in value:
                yield from _grouped(part, facts, indent + _INDENT)
        else:
            yield f"{indent}{facts[key].description}: {_test(value, facts[key])}"


def _grouped(part: Mapping[str, Any], facts: Mapping[str, FactSpec], indent: str) -> Iterator[str]:
    if len(part) > 1:
        yield f"{indent}all of these:"
        indent += _INDENT
    yield from _lines(part, facts, indent)


def _test(test: Any, fact: FactSpec) -> str:
    if isinstance(test, list):
        return " or ".join(_word(value) for value in test)
    if isinstance(test, Mapping):
        return " and ".join(_named_test(name, value, fact) for name, value in test.items())
    return _word(test)


def _named_test(name: str, value: Any, fact: FactSpec) -> str:
    if name == "not":
        return f"anything but {_test(value, fact)}"
    if name in ("some", "none"):
        inside = ", ".join(line.strip() for line in _lines(value, fact.items or {}, ""))
        return f"{'at least one' if name == 'some' else 'none'} with {inside}"
    share = f"{value:.0%}" if isinstance(value, float) and value <= 1 else str(value)
    return f"{'at least' if name == 'at_least' else 'below'} {share}"


def _word(value: Any) -> str:
    return str(value).replace("_", " ")


def _a(kind: str) -> str:
    return "consent" if kind == "consent" else f"a {_word(kind)}"
