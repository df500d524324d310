"""The golden cases of the studio's guidance, by number."""

from datetime import UTC, datetime

from services.verdict.decide import Decision
from shared.verdicts import Outcome

CLEAR, CAUTION, ESCALATE = Outcome.CLEAR, Outcome.CAUTION, Outcome.ESCALATE


def fired(decision: Decision) -> set[str]:
    return {reason.rule.partition("/")[0] for reason in decision.reasons if reason.counts}


def discharged(decision: Decision) -> set[str]:
    return {reason.rule for reason in decision.reasons if not reason.counts}


def test_case_1_mood_board_from_an_enterprise_tool(judge, declared):
    decision = judge(declared())
    assert decision.outcome is CLEAR
    assert fired(decision) == {"M-LOW-1"}
    assert decision.to_do == ()


def test_case_2_terms_of_the_tool_not_known(judge, declared):
    decision = judge(declared(stage={"stores_reuses_or_trains": "unsure"}))
    assert decision.outcome is ESCALATE
    assert fired(decision) == {"P2"}
    assert decision.reasons[0].because.startswith("Not known: whether the tool stores")


def test_case_3_second_killer_doll(judge, declared):
    decision = judge(declared(use="concept_art", story_role="main_character"))
    assert decision.outcome is ESCALATE
    assert fired(decision) == {"A-OUT-1"}


def test_case_4_model_trained_on_one_portrait(judge, declared):
    refers = [{"kind": "copyrighted", "name": "portrait of a girl with green eyes", "rights": "none"}]
    model = {"trained_on": [{"kind": "artist_style", "rights": "none"}]}
    decision = judge(declared(stage={"model": model}, rights={"refers_to": refers}))
    assert decision.outcome is ESCALATE
    assert fired(decision) >= {"A-DATA-2", "A-OUT-2"}


def test_case_5_model_of_an_actress_nose(judge, declared):
    model = {"trained_on": [{"kind": "performer", "rights": "none"}]}
    refers = [{"kind": "performer", "name": "a famous actress", "rights": "none"}]
    decision = judge(declared(stage={"model": model}, rights={"refers_to": refers}))
    assert decision.outcome is ESCALATE
    assert fired(decision) >= {"A-DATA-2", "A-OUT-2", "M-ESC-3"}


def test_case_6_background_poster(judge, declared, document):
    poster = declared(use="background_element", placement={"on_camera": "yes"})
    temporary = judge(poster)
    assert (temporary.outcome, fired(temporary)) == (CAUTION, {"M-CAU-1"})

    final = judge(poster | {"deliverable": "final"})
    assert (final.outcome, fired(final)) == (ESCALATE, {"P4", "A-FIN-1", "M-CAU-1"})

    approval = document("written_approval", "P4", "A-FIN-1")
    approved = judge(poster | {"deliverable": "final"}, documents=[approval])
    assert (approved.outcome, fired(approved)) == (CAUTION, {"M-CAU-1"})
    assert discharged(approved) == {"P4", "A-FIN-1"}


def test_case_7_historical_document_read_aloud(judge, declared):
    placement = {"on_camera": "yes", "character_interacts": "yes"}
    decision = judge(declared(use="background_element", placement=placement))
    assert decision.outcome is ESCALATE
    assert fired(decision) == {"M-CAU-1"}


def test_case_8_news_segment_in_the_background(judge, declared):
    placement = {"on_camera": "yes"}
    decision = judge(declared(use="background_element", placement=placement, truth={"misleading_as_real": "yes"}))
    assert decision.outcome is ESCALATE
    assert fired(decision) >= {"A-ETH-1"}


def test_case_9_dubbing_and_lip_sync(judge, declared):
    agreed = {"within_norms": "yes", "agreed": "yes"}
    work = [
        {"name": "A", "treatment": "dubbing", **agreed},
        {"name": "B", "treatment": "customary_enhancement", **agreed},
    ]
    audio = declared(use="audio_work", deliverable="final", output_nature="enhanced")
    decision = judge(audio | {"talent": work})
    assert (decision.outcome, fired(decision)) == (CLEAR, {"E-1", "E-2"})

    lip_sync = judge(audio | {"talent": [{"name": "A", "treatment": "lip_sync", **agreed}]})
    assert lip_sync.outcome is ESCALATE
    assert fired(lip_sync) >= {"A-TAL-2"}


def test_case_10_de_ageing_with_and_without_legal_review(judge, declared, document):
    case = declared(use="talent_work", deliverable="final", output_nature="mixed")
    case["talent"] = [{"name": "A. Performer", "treatment": "re_ageing", "within_norms": "yes", "agreed": "yes"}]
    consent = document("consent", "P5", "A-TAL-1", "M-ESC-2", scope={"talent": ["A. Performer"]})
    approval = document("written_approval", "A-TAL-1", "A-FIN-1", "P4")
    review = document("legal_review", "M-ESC-2")

    decision = judge(case, documents=[consent, approval, review])
    assert (decision.outcome, fired(decision)) == (CLEAR, set())
    assert discharged(decision) == {"P4", "P5", "A-FIN-1", "A-TAL-1", "M-ESC-2"}
    assert {d for reason in decision.reasons for d in reason.discharged_by} == {consent.id, approval.id, review.id}

    without = judge(case, documents=[consent, approval])
    assert (without.outcome, fired(without)) == (ESCALATE, {"M-ESC-2"})

    elsewhere = judge(case | {"production": "borea"}, documents=[consent, approval, review])
    assert elsewhere.outcome is ESCALATE
    assert fired(elsewhere) >= {"P5", "A-TAL-1"}


def test_case_11_enhancement_model_of_another_production(judge, declared):
    model = {"trained_on": [{"kind": "performer", "rights": "licensed"}], "performer": "A. Performer"}
    model |= {"production": "borea", "scope": "noise removal", "quality_check": "yes"}
    decision = judge(declared(stage={"model": model}))
    assert (decision.outcome, fired(decision)) == (ESCALATE, {"A-TAL-3"})


def test_case_12_second_stage_keeps_inputs(judge, declared):
    case = declared()
    first = case["stages"][0]
    second = first | {"name": "upscale", "environment": "consumer", "stores_reuses_or_trains": "yes"}
    decision = judge(case | {"stages": [first, second, first | {"name": "grade"}]})
    assert decision.outcome is ESCALATE
    assert [reason.stage for reason in decision.reasons if reason.rule == "P2"] == ["2: upscale"]


def test_case_13_undeclared_generator_parameters(judge, declared, no_genai):
    mark = {"kind": "provenance", "source": "png_text", "claim": "a generator's parameters"}
    decision = judge(no_genai(), mark)
    assert decision.outcome is ESCALATE
    assert fired(decision) >= {"S-UNDECLARED"}
    amended = judge(declared(), mark)
    assert (amended.outcome, fired(amended)) == (CLEAR, {"M-LOW-1"})


def test_case_14_mirrored_crop_of_a_protected_work(judge, declared, match):
    decision = judge(declared(), match("whole", transform="mirrored", share_of_upload=0.9))
    assert decision.outcome is ESCALATE
    assert decision.reasons[0].rule == "S-MATCH-WHOLE"
    assert decision.reasons[0].findings == (0,)


def test_case_15_protected_poster_on_a_small_part(judge, declared, document, match):
    poster = match("part", share_of_upload=0.08, coverage_of_reference=0.9)
    approval = document("written_approval", "P4", "A-FIN-1")
    final = judge(declared(use="set_extension", deliverable="final"), poster, documents=[approval])
    assert (final.outcome, fired(final)) == (ESCALATE, {"S-MATCH-PART"})
    temporary = judge(declared(), poster)
    assert temporary.outcome is CAUTION
    assert fired(temporary) >= {"S-MATCH-PART"}


def test_case_16_wholly_undeclared_file(judge):
    decision = judge({"production": "atlas"})
    assert decision.outcome is ESCALATE
    for field in ("genai_used", "use", "deliverable", "stages", "talent", "rights.refers_to", "union.effect"):
        assert any(line.startswith(f"Declare `{field}`") for line in decision.to_do)


def test_case_17_synthetic_voice(judge, declared):
    case = declared(use="audio_work", talent=[{"name": "A. Performer", "treatment": "synthetic_voice"}])
    decision = judge(case, {"kind": "not_matched", "media": "audio"})
    assert decision.outcome is ESCALATE
    assert fired(decision) >= {"A-TAL-1", "M-ESC-2", "S-NOT-MATCHED"}


def test_case_18_approval_is_revoked(judge, declared, document):
    case = declared(use="set_extension", deliverable="final")
    approval = document("written_approval", "P4", "A-FIN-1")
    revoked = approval.model_copy(update={"revoked_at": datetime(2026, 9, 30, tzinfo=UTC)})
    assert judge(case, documents=[approval]).outcome is CLEAR
    assert judge(case, documents=[revoked]).outcome is ESCALATE


def test_case_19_stills_in_a_true_crime_documentary(judge, declared):
    case = declared(truth={"factual_programme": "yes"}, placement={"on_camera": "yes"})
    decision = judge(case)
    assert decision.outcome is ESCALATE
    assert fired(decision) >= {"A-ETH-1"}


def test_case_20_collapse_of_a_building(judge, declared, document):
    case = declared(use="set_extension", deliverable="final", placement={"on_camera": "yes", "story_relevant": "yes"})
    decision = judge(case, documents=[document("written_approval", "P4", "A-FIN-1")])
    assert (decision.outcome, discharged(decision)) == (CLEAR, {"P4", "A-FIN-1"})
    assert judge(case).outcome is ESCALATE


def test_case_21_photographs_without_generative_ai(judge, no_genai, match):
    assert judge(no_genai(deliverable="final")).outcome is CLEAR
    still = judge(no_genai(use="mood_board", deliverable="temporary"), match("whole"))
    assert (still.outcome, fired(still)) == (CAUTION, {"S-MATCH-WHOLE"})


def test_case_22_own_stills_and_an_unreleased_script(judge, declared):
    stills = judge(declared(stage={"inputs": [{"kind": "own"}]}))
    assert stills.outcome is CAUTION
    assert fired(stills) >= {"M-CAU-2"}
    script = judge(declared(stage={"inputs": [{"kind": "unreleased"}]}))
    assert script.outcome is ESCALATE
    assert fired(script) >= {"A-DATA-1"}


def test_case_23_unattended_pipeline(judge, declared):
    unattended = {"human_control": "no", "output_checked": "no"}
    temporary = judge(declared(stage=unattended))
    assert temporary.outcome is CAUTION
    assert fired(temporary) >= {"W-2", "W-3"}
    final = judge(declared(stage=unattended, deliverable="final"))
    assert {r.rule for r in final.reasons if r.outcome is ESCALATE} >= {"W-2", "W-3"}
