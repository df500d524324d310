"""Conditions in three values: no, unknown, yes."""

import pytest

from shared.marked_yaml import MarkedData
from shared.rulebook.conditions import NO, UNKNOWN, YES, unknown_facts
from shared.rulebook.facts_model import Facts, FindingFacts, InputFacts, PlacementFacts, StageFacts
from shared.rulebook.faults import FaultList
from shared.rulebook.when import when_reader

STAGE = StageFacts(tool="a tool", environment="enterprise", inputs=(InputFacts(kind="own"), InputFacts()))
FACTS = Facts(
    production="atlas",
    use="mood_board",
    placement=PlacementFacts(on_camera="no"),
    territories=("DE", "FR"),
    stages=(STAGE, StageFacts()),
    findings=(FindingFacts(kind="reference_match", share_of_upload=0.2),),
)


@pytest.fixture
def condition():
    def condition(when: dict):
        faults = FaultList("r.yaml", MarkedData())
        read = when_reader("stage", faults).read(when, ("when",))
        assert faults.faults == []
        return read

    return condition


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({}, YES),
        ({"use": "mood_board"}, YES),
        ({"use": ["ideation", "previs"]}, NO),
        ({"use": {"not": "ideation"}}, YES),
        ({"deliverable": "final"}, UNKNOWN),
        ({"deliverable": ["temporary", "final"]}, UNKNOWN),
        ({"deliverable": {"not": "final"}}, UNKNOWN),
        ({"not": {"deliverable": "final"}}, UNKNOWN),
        ({"use": "mood_board", "deliverable": "final"}, UNKNOWN),
        ({"use": "ideation", "deliverable": "final"}, NO),
        ({"any": [{"use": "mood_board"}, {"deliverable": "final"}]}, YES),
        ({"any": [{"use": "ideation"}, {"deliverable": "final"}]}, UNKNOWN),
        ({"all": [{"use": "mood_board"}, {"not": {"use": "ideation"}}]}, YES),
        ({"placement.on_camera": "no"}, YES),
        ({"territories": "DE"}, YES),
        ({"territories": ["US", "ES"]}, NO),
        ({"stage.tool": "a tool"}, YES),
        ({"stage.vendor": "a vendor"}, UNKNOWN),
        ({"stage.number": {"at_least": 1, "below": 2}}, YES),
        ({"stage.number": {"at_least": 2}}, NO),
        ({"stage.inputs": {"some": {"kind": "own"}}}, YES),
        ({"stage.inputs": {"some": {"kind": "personal"}}}, UNKNOWN),
        ({"stage.inputs": {"none": {"kind": "own"}}}, NO),
        ({"stage.inputs": {"none": {"kind": "personal"}}}, UNKNOWN),
        ({"stage.model.trained_on": {"some": {"kind": "own"}}}, NO),
        ({"rights.refers_to": {"some": {"kind": "own"}}}, UNKNOWN),
        ({"findings": {"some": {"kind": "reference_match", "share_of_upload": {"at_least": 0.3}}}}, NO),
        ({"findings": {"some": {"share_of_upload": {"at_least": 0.1, "below": 0.3}}}}, YES),
        ({"findings": {"some": {"bank": "protected"}}}, NO),
        ({"stages": {"some": {"environment": "consumer"}}}, UNKNOWN),
        ({"stages": {"none": {"model.made": "yes"}}}, YES),
    ],
)
def test_values(condition, when, expected):
    assert condition(when).check(FACTS, STAGE) == expected


def test_what_is_not_known_is_told_where_it_matters(condition):
    when = {
        "use": "mood_board",
        "deliverable": "final",
        "any": [{"story_role": "none", "use": "ideation"}, {"stage.inputs": {"some": {"kind": "personal"}}}],
    }
    assert unknown_facts(condition(when), FACTS, STAGE) == ["deliverable", "stage.inputs"]
