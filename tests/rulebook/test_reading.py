"""How answers are read into facts: silence, tools without a name, rights that the kind implies, hostile words."""

import pytest

from shared.declaration.parse import parse_declaration
from shared.rulebook.facts import facts
from shared.rulebook.facts_model import Facts, StageFacts, TalentFacts
from shared.rulebook.tools import KnownTool
from shared.verdicts import Outcome


def read(declaration, **more) -> Facts:
    return facts(parse_declaration(declaration), (), **more)


def test_silence_is_one_unknown_stage_and_performer():
    silent = read({"production": "atlas"})
    assert silent.stages == (StageFacts(),)
    assert silent.talent == (TalentFacts(),)
    assert silent.rights.refers_to is None
    assert silent.deliverable is None
    assert read({"production": "atlas", "genai_used": "no"}).stages == ()


def test_facts_can_be_recorded_and_decided_again(declared):
    case = read(declared(talent=[{"name": "A"}], territories=["DE"]))
    assert Facts.model_validate_json(case.model_dump_json()) == case


def test_what_is_said_of_a_tool_without_a_name_is_not_known(judge, declared):
    case = declared()
    del case["stages"][0]["tool"]
    stage = read(case).stages[0]
    assert (stage.environment, stage.stores_reuses_or_trains) == (None, None)
    assert {reason.rule for reason in judge(case).reasons} >= {"W-1", "P2", "P3"}


def test_known_terms_fill_in_for_silence_and_never_excuse(declared):
    good = KnownTool(vendor="In House", tool="house-diffusion", environment="enterprise", stores_reuses_or_trains="no")
    bad = KnownTool(vendor="in house", tool="house-diffusion", environment="consumer", stores_reuses_or_trains="yes")
    silent = declared(stage={"environment": "unsure", "stores_reuses_or_trains": "unsure"})
    admits = declared(stage={"environment": "consumer", "stores_reuses_or_trains": "yes"})

    def terms(case, tool):
        stage = read(case, tools=[tool]).stages[0]
        return stage.environment, stage.stores_reuses_or_trains

    assert terms(silent, good) == ("enterprise", "no")
    assert terms(admits, good) == ("consumer", "yes")
    assert terms(declared(), bad) == ("consumer", "yes")


@pytest.mark.parametrize(
    ("entry", "rights"),
    [
        ({"kind": "own"}, "owned"),
        ({"kind": "own", "rights": "unsure"}, None),
        ({"kind": "licensed"}, "licensed"),
        ({"kind": "public_domain", "rights": "none"}, "free"),
        ({"kind": "artist_style"}, None),
        ({"kind": "performer", "rights": "licensed"}, "licensed"),
        ({"kind": "unknown"}, None),
        ({}, None),
    ],
)
def test_rights_are_asked_where_the_kind_leaves_them_open(declared, entry, rights):
    stage = read(declared(stage={"model": {"trained_on": [entry]}})).stages[0]
    assert stage.model.trained_on is not None
    assert stage.model.trained_on[0].rights == rights


def test_a_mark_of_generation_counts_as_use(judge, no_genai):
    mark = {"kind": "provenance", "source": "png_text", "claim": "a generator"}
    decision = judge(no_genai(), mark)
    assert {reason.rule for reason in decision.reasons} >= {"S-UNDECLARED", "P2"}
    capture = mark | {"generative": False, "claim": "digitalCapture"}
    assert judge(no_genai(), capture).outcome is Outcome.CLEAR


def test_a_finding_of_a_newer_engine_reads_as_not_screened(judge, declared):
    decision = judge(declared(), {"kind": "hologram", "reason": "new"})
    assert [reason.rule for reason in decision.reasons if reason.counts] == ["S-UNSCREENABLE"]


def test_words_from_outside_are_cut_and_stripped(judge, declared):
    decision = judge(declared(), {"kind": "unscreenable", "reason": "x\x1b[31m" + "y" * 500})
    because = decision.reasons[0].because
    assert "\x1b" not in because
    assert len(because) < 200


def test_braces_in_names_are_only_words(judge, declared):
    case = declared(stage={"tool": "{use.__class__}", "stores_reuses_or_trains": "yes"})
    assert "{use.__class__}" in judge(case).reasons[0].because


def test_the_summary_is_one_sentence(judge, declared, document):
    final = declared(use="other", deliverable="final")
    assert judge(final).summary == (
        "Work waits for the studio: Generated material is part of a final deliverable (P4; 1 rule as grave)."
    )
    approved = judge(final, documents=[document("written_approval", "P4", "A-FIN-1")])
    assert approved.summary == "Clear: no rule stands in the way; 2 rules covered by documents."
    assert judge({"production": "atlas"}).summary == (
        "Work waits for the studio: too little is known to clear it (P1; 20 rules as grave)."
    )
    caution = judge(declared(stage={"human_control": "no"}))
    assert caution.summary == (
        "Work may go on, with caution: Nobody directs and accepts the output of stage 1: generate"
        " (W-2; stage 1: generate)."
    )


def test_advice_follows_the_weight_of_the_rules(judge, declared):
    decision = judge(declared(stage={"stores_reuses_or_trains": "yes", "human_control": "no"}))
    assert decision.to_do == (
        "Use a tool whose terms rule out storing, reuse and training, or ask the studio for written approval.",
        "Have a person direct and accept the output of stage 1: generate.",
    )
    assert [reason.outcome.value for reason in decision.reasons] == ["escalate", "caution"]


def test_a_document_that_is_not_on_record_is_told_of_while_something_is_open(judge, declared, document):
    approval = document("written_approval", "P4", "A-FIN-1")
    case = declared(use="other", deliverable="final", documents=[approval.id, "another"])
    where = "on record for this upload in `atlas`, or was revoked"
    told = f"The declaration names the document `another`, which is not {where}."
    assert judge(case, documents=[document("consent", "P5"), approval]).to_do == ()
    assert [line for line in judge(case, documents=[document("consent", "P5")]).to_do if "document" in line] == [
        told.replace("another", approval.id),
        told,
    ]


def test_what_to_declare_is_asked_by_field(judge, declared):
    case = declared(talent=[{"name": "A", "treatment": "dubbing", "within_norms": "yes"}])
    case["stages"].append({"name": "upscale", "tool": "x", "vendor": "y", "inputs": [], "human_control": "yes"})
    assert judge(case).to_do == (
        "Declare `stages[1].stores_reuses_or_trains`:"
        " Does the tool store, reuse or train on what goes in or comes out?",
        "Declare `talent[0].agreed`: Has the performer agreed to it?",
        "Declare `stages[1].environment`: Is the tool enterprise-secured, or a consumer tool?",
        "Declare `stages[1].output_checked`: Is the output checked and its origin kept?",
    )
