"""From an occasion to ledger, case and events."""

from services.verdict import tables
from shared.findings import ReferenceRef
from shared.ids import new_id
from tests.screenings import FINAL, MATCH, screened
from tests.verdict_bench import Bench


async def test_a_clear_upload_gets_one_complete_verdict(bench: Bench) -> None:
    await bench.settle(screened())
    (verdict,) = await bench.verdicts()
    assert verdict.outcome == "clear"
    assert verdict.title == "Harbour at dusk, plate 12"
    assert verdict.filename == "plate 12.png"
    assert verdict.versions.rulebook.id == "studio-genai"
    assert verdict.sequence == verdict.revision == 1
    assert await bench.events() == ["verdict.reached"]


async def test_the_same_cause_is_decided_once(bench: Bench) -> None:
    first = await bench.settle(screened(), screened())
    again = await bench.settle(screened())
    assert [one.result for one in first] == ["revised"]
    assert again == []
    assert len(await bench.verdicts()) == 1


async def test_a_lower_number_than_held_is_stale(bench: Bench) -> None:
    await bench.settle(screened(number=3, findings=(MATCH,)))
    (stale,) = await bench.settle(screened(number=2))
    assert stale.result == "stale"
    (verdict,) = await bench.verdicts()
    assert verdict.outcome == "escalate"


async def test_nothing_new_makes_no_revision(bench: Bench) -> None:
    await bench.settle(screened())
    (same,) = await bench.settle(screened(number=2, cause="rescanned", cause_id="rescan-1"))
    assert (same.result, same.before, same.after) == ("unchanged", "clear", "clear")
    assert len(await bench.verdicts()) == 1


async def test_an_escalation_opens_a_case_and_a_later_revision_ends_it(bench: Bench) -> None:
    await bench.settle(screened(findings=(MATCH,)))
    await bench.settle(screened(number=2, cause="rescanned", cause_id="r"))
    assert await bench.events() == ["verdict.reached", "verdict.escalated", "verdict.reached", "escalation.closed"]
    (case,) = await bench.rows(tables.escalations)
    assert case.decision == "superseded"
    assert case.closed_at is not None


async def test_a_case_may_open_and_end_and_open_within_one_batch(bench: Bench) -> None:
    await bench.settle(
        screened(findings=(MATCH,)),
        screened(number=2, cause="rescanned", cause_id="r1"),
        screened(number=3, findings=(MATCH,), cause="rescanned", cause_id="r2"),
    )
    cases = await bench.rows(tables.escalations)
    assert [case.decision for case in cases] == ["superseded", None]
    assert [verdict.revision for verdict in await bench.verdicts()] == [1, 2, 3]


async def test_a_further_escalation_moves_the_open_case_on(bench: Bench) -> None:
    await bench.settle(screened(findings=(MATCH,)))
    await bench.settle(screened(number=2, declaration=FINAL, cause="declaration_amended", cause_id="d"))
    (case,) = await bench.rows(tables.escalations)
    newest = (await bench.verdicts())[-1]
    assert (case.verdict_id, case.closed_at) == (newest.id, None)
    assert (await bench.events()).count("verdict.escalated") == 1


async def test_a_verdict_leans_on_documents_not_on_what_an_allow_bank_holds(bench: Bench) -> None:
    """Names of banks and references are longer than ids: PostgreSQL would refuse the row, and the worker would stop."""
    bank, work = "licensed-for-this-production", new_id()
    owned = MATCH.model_copy(update={"purpose": "allow", "reference": ReferenceRef(id=work, bank=bank)})
    await bench.settle(screened(findings=(MATCH, owned)))
    (verdict,) = await bench.verdicts()
    lifted = [reason.discharged_by for reason in verdict.reasons if reason.rule == "S-MATCH-WHOLE"]
    assert (verdict.outcome, lifted) == ("clear", [(f"{bank}/{work}",)])
    assert await bench.rows(tables.leaning) == []
