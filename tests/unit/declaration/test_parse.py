"""Declarations from outside: taken when sound, otherwise refused with every fault, its field and its remedy."""

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.declaration.model import Declaration
from shared.declaration.parse import InvalidDeclaration, load_declaration, load_declaration_file, parse_declaration
from shared.declaration.schema import declaration_schema

EXAMPLE = """
production: atlas
title: Harbour at dusk, plate 12
genai_used: yes
use: mood_board
deliverable: temporary
output_nature: generated
story_role: none
placement: {on_camera: no, legible_in_focus: no, character_interacts: no, story_relevant: no}
rights: {recreates_protected: no, refers_to: []}
truth: {misleading_as_real: no, factual_programme: no}
union: {effect: none}
talent: []
stages:
  - {name: generate, vendor: in house, tool: house-diffusion, environment: enterprise, stores_reuses_or_trains: no,
     human_control: yes, output_checked: yes, inputs: [{kind: public}]}
"""


def faults(data: object) -> list[str]:
    with pytest.raises(InvalidDeclaration) as caught:
        parse_declaration(data)
    return [str(fault) for fault in caught.value.faults]


def text_faults(text: str) -> list[str]:
    with pytest.raises(InvalidDeclaration) as caught:
        load_declaration(text)
    return [str(fault) for fault in caught.value.faults]


def test_yaml_answers_are_words():
    declaration = load_declaration(EXAMPLE)
    assert declaration.genai_used == "yes"
    assert declaration.placement.on_camera == "no"
    assert declaration.stages[0].tool == "house-diffusion"


def test_only_the_production_is_mandatory_and_silence_is_unsure():
    declaration = parse_declaration({"production": "atlas"})
    assert declaration.genai_used == declaration.placement.on_camera == "unsure"
    assert (declaration.use, declaration.talent, declaration.rights.refers_to) == (None, None, None)
    assert declaration.stages == ()
    assert faults({}) == ["production: is missing; add it"]


def test_an_explicit_null_is_silence():
    silent = {"production": "atlas", "genai_used": None, "use": None, "placement": None, "talent": None, "stages": None}
    assert parse_declaration(silent) == parse_declaration({"production": "atlas"})


def test_an_event_tolerates_what_a_newer_writer_added():
    assert Declaration.model_validate({"production": "atlas", "mood": "blue"}).production == "atlas"


def test_it_survives_the_wire():
    declaration = load_declaration(EXAMPLE)
    assert Declaration.model_validate_json(declaration.model_dump_json()) == declaration
    assert parse_declaration(declaration.model_dump(mode="json")) == declaration


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"titel": "x"}, "titel: there is no such field; did you mean `title`?"),
        (
            {"stages": [{"enviroment": "x"}]},
            "stages[0].enviroment: there is no such field; did you mean `environment`?",
        ),
        ({"use": "moodboard"}, "use: `moodboard` is not allowed; did you mean `mood_board`?"),
        ({"use": "Mood Board"}, "use: `Mood Board` is not allowed; did you mean `mood_board`?"),
        ({"deliverable": "x"}, "deliverable: `x` is not allowed; use one of: temporary, final"),
        ({"genai_used": True}, 'genai_used: found the truth value true; write "yes"'),
        ({"placement": {"on_camera": False}}, 'placement.on_camera: found the truth value false; write "no"'),
        (
            {"placement": {"on_camera": "not_applicable"}},
            "placement.on_camera: `not_applicable` is not allowed; use one of: yes, no, unsure",
        ),
        ({"version": 12}, 'version: found a number; write it in quotes: "12"'),
        ({"title": ["x"]}, "title: found a list; write a text"),
        ({"title": ""}, "title: is empty; write a text, or leave the field out"),
        ({"title": "x" * 301}, "title: is 301 characters long; keep it to 300 characters"),
        ({"title": "a\x00b"}, "title: holds the control character U+0000; remove it"),
        ({"title": "a\u202eb"}, "title: holds the control character U+202E; remove it"),
        ({"title": "a\nb"}, "title: holds the control character U+000A; remove it"),
        ({"title": "a\ud800"}, "title: is no valid Unicode text; write it as UTF-8"),
        ({"placement": "x"}, "placement: found a text; write fields and their values"),
        ({"talent": {}}, "talent: found fields; write a list"),
        ({"talent": [None]}, "talent[0]: found nothing; write fields and their values"),
        ({"stages": [{}] * 51}, "stages: has too many entries; keep it to 50"),
        ({"stages": [{"inputs": [{}] * 201}]}, "stages[0].inputs: has too many entries; keep it to 200"),
        ({"external_ids": {"tracker": 7}}, 'external_ids.tracker: found a number; write it in quotes: "7"'),
        ({"territories": ["DE", 1]}, 'territories[1]: found a number; write it in quotes: "1"'),
        (
            {"stages": [{"prompts": ["x" * 4000] * 50}, {"prompts": ["y" * 4000] * 50}]},
            "declaration: it is too long as a whole; keep it under 200,000 bytes; shorten the prompts",
        ),
    ],
)
def test_faults_name_field_and_remedy(fields, message):
    assert faults({"production": "atlas"} | fields) == [message]


def test_all_faults_at_once():
    assert faults({"titel": "x", "use": "y", "stages": [{"environment": "z"}], "genai_used": True}) == [
        "titel: there is no such field; did you mean `title`?",
        "production: is missing; add it",
        'genai_used: found the truth value true; write "yes"',
        "use: `y` is not allowed; use one of: ideation, mood_board, reference_image, concept_art, previs,"
        " background_element, character_design, key_visual, set_extension, talent_work, audio_work, marketing, other",
        "stages[0].environment: `z` is not allowed; use one of: enterprise, consumer, unsure",
    ]


def test_a_contradiction_names_both_fields():
    data = {"production": "atlas", "genai_used": "no", "stages": [{"name": "scan"}, {"tool": "x"}]}
    assert faults(data) == [
        "genai_used: says `no`, yet `stages[1].tool` is given; say `yes`, or leave the stages out",
        "stages[1].tool: is given, yet `genai_used` says `no`; leave it out, or say `yes`",
    ]
    assert parse_declaration(data | {"stages": [{"name": "scan"}]}).genai_used == "no"


def test_a_flood_of_faults_is_cut():
    assert len(faults({"production": "atlas"} | {f"x{n}": n for n in range(5000)})) == 100


@pytest.mark.parametrize("data", [None, 3, "x", [], True])
def test_what_is_no_declaration_at_all(data):
    assert "write fields and their values" in faults(data)[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("production: a\nproduction: b", "production: line 2, column 1: the key `production` appears twice,"),
        ("production: [", "declaration: line 1, column 14: not valid YAML:"),
        ("production: &a [*a]", "production[0]: line 1, column 13: an anchor that contains itself;"),
        ("production: a\nversion: 12", 'version: found a number; write it in quotes: "12"'),
        ("", "declaration: found nothing; write fields and their values"),
    ],
)
def test_texts(text, message):
    assert text_faults(text)[0].startswith(message)


def test_files(tmp_path):
    path = tmp_path / "declaration.yaml"
    path.write_text("\ufeff" + EXAMPLE, encoding="utf-8")
    assert load_declaration_file(path) == load_declaration(EXAMPLE)
    path.write_text('{"production": "atlas", "genai_used": "no"}')
    assert load_declaration_file(path).genai_used == "no"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidDeclaration, match="is no UTF-8 text; save it as UTF-8"):
        load_declaration_file(path)


@pytest.mark.parametrize(
    "field", ["production", "use", "talent", "rights", "stages", "documents", "external_ids", "zz"]
)
def test_bottomless_values_are_refused(field):
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    for value in (deep, [deep], {"refers_to": deep}, {"a": deep}):
        assert faults({"production": "atlas", field: value})


def test_a_huge_number_makes_a_short_message():
    assert len(faults({"production": "atlas", "title": 10**4000})[0]) < 150


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(Declaration.model_fields)), inner)
    ),
    max_leaves=10,
)


@given(JUNK)
def test_junk_is_refused_and_never_crashes(data):
    try:
        parse_declaration(data)
    except InvalidDeclaration as error:
        assert error.faults
        assert all(fault.field and fault.message and fault.remedy for fault in error.faults)


def test_the_schema_takes_what_the_reader_takes():
    schema = declaration_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(load_declaration(EXAMPLE).model_dump(mode="json"))
    assert validator.is_valid({"production": "atlas"})
    assert not validator.is_valid({"production": "atlas", "titel": "x"})
    assert not validator.is_valid({"production": "atlas", "genai_used": True})
