"""Leads a fact that is not known back to the field of the declaration, and to the question that the form asks."""

from functools import cache

from shared.declaration.messages import nested_model
from shared.declaration.model import Declaration
from shared.rulebook.facts_model import Facts, StageFacts, TalentFacts
from shared.rulebook.firing import Firing

_ASKED_ELSEWHERE = {"stage.model.of_performer": "stage.model.trained_on"}
_OF_THE_TOOL = ("stage.environment", "stage.stores_reuses_or_trains")


def question_for(fact: str, firing: Firing, facts: Facts) -> str:
    """`Declare stages[1].environment: is the tool enterprise-secured, or a consumer tool?`"""
    field = _ASKED_ELSEWHERE.get(fact, fact)
    subject = firing.subject
    if isinstance(subject, StageFacts) and field in _OF_THE_TOOL and subject.tool_named == "no":
        field = "stage.tool"
    if field.startswith("stage."):
        here = "stages" if subject == StageFacts() else f"stages[{firing.position}].{field[6:]}"
    elif field.startswith("talent."):
        here = "talent" if facts.talent == (TalentFacts(),) else f"talent[{firing.position}].{field[7:]}"
    else:
        here = field
    return f"Declare `{here}`: {_question(here)}"


@cache
def _question(field: str) -> str:
    model, text = Declaration, ""
    for part in field.split("."):
        info = model.model_fields.get(part.partition("[")[0])
        if info is None:
            break
        text = info.description or ""
        model = nested_model(info.annotation) or model  # type: ignore[assignment]  # walks down the models
    return text
