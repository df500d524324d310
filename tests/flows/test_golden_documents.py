"""Golden cases in which documents decide, and what else lifts a rule: over HTTP from end to end, on both backends."""

from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.drawings import photo, png
from tests.golden import PERFORMER, counting, lifted, record, resting_on, trio
from tests.installation import MOOD_BOARD, STAGE, Installation, team, until
from tests.verdict_receiver import receiving

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]
DE_AGEING: dict[str, Any] = {
    **MOOD_BOARD,
    "use": "talent_work",
    "deliverable": "final",
    "output_nature": "mixed",
    "talent": [{"name": PERFORMER, "treatment": "re_ageing", "within_norms": "yes", "agreed": "yes"}],
}


async def test_case_10_de_ageing_with_and_without_legal_review_and_elsewhere(line: Installation) -> None:
    uma, rita, sam = await trio(line, "case-10")
    picture = png(photo(1010))
    asset = await uma.upload(picture, DE_AGEING)
    assert counting(await uma.decided(asset["id"])) == {"P4", "P5", "A-FIN-1", "A-TAL-1", "M-ESC-2"}
    consent = await record(rita, sam, "consent", "P5", "A-TAL-1", "M-ESC-2", talent=[PERFORMER])
    approval = await record(rita, sam, "written_approval", "A-TAL-1", "A-FIN-1", "P4")
    without = await resting_on(rita, asset["id"], "M-ESC-2")
    review = await record(rita, sam, "legal_review", "M-ESC-2")
    complete = await resting_on(rita, asset["id"])
    other, _ = await team(line, "case-10-elsewhere")
    elsewhere = await other.screened(picture, DE_AGEING)
    assert (without["outcome"], complete["outcome"]) == ("escalate", "clear")
    papers = {paper for reason in complete["reasons"] for paper in reason["discharged_by"]}
    assert papers == {consent, approval, review}
    assert elsewhere["outcome"] == "escalate"
    assert counting(elsewhere) >= {"P5", "A-TAL-1"}
    assert elsewhere["content_sha256"] == complete["content_sha256"]


async def test_case_11_an_enhancement_model_of_another_production(line: Installation) -> None:
    uma, rita, sam = await trio(line, "case-11")
    model = {"trained_on": [{"kind": "performer", "rights": "licensed"}], "performer": PERFORMER}
    model |= {"production": "case-11-before", "scope": "noise removal", "quality_check": "yes"}
    asset = await uma.upload(png(photo(1111)), stages=[STAGE | {"model": model}])
    first = await uma.decided(asset["id"])
    assert (first["outcome"], counting(first)) == ("escalate", {"A-TAL-3"})
    consent = await record(rita, sam, "consent", "A-TAL-3", talent=[PERFORMER])
    approval = await record(rita, sam, "written_approval", "A-TAL-3")
    lifted = await resting_on(rita, asset["id"])
    assert lifted["outcome"] == "clear"
    assert [set(r["discharged_by"]) for r in lifted["reasons"] if r["rule"] == "A-TAL-3"] == [{consent, approval}]


async def test_case_18_a_revoked_approval_is_a_new_revision_that_is_told(line: Installation) -> None:
    uma, rita, sam = await trio(line, "case-18")
    approval = await record(rita, sam, "written_approval", "P4", "A-FIN-1")
    asset = await uma.upload(png(photo(1818)), use="set_extension", deliverable="final")
    approved = await uma.decided(asset["id"])
    assert (approved["outcome"], approved["revision"]) == ("clear", 1)
    async with receiving() as receiver:
        hook = await rita.post("/webhooks", {"url": receiver.url}, status=201)
        await rita.post(f"/documents/{approval}/revoke", {"reason": "the studio took it back"})
        revised = await rita.revised(asset["id"], 2)

        async def told() -> bool:
            return bool(receiver.received)

        await until(told, "a webhook")
        bodies = [Webhook(hook["secret"]).verify(one.body, one.headers) for one in receiver.received]
        await rita.ask("DELETE", f"/webhooks/{hook['id']}", status=204)
    assert (revised["outcome"], revised["cause"]) == ("escalate", "document_revoked")
    assert counting(revised) == {"P4", "A-FIN-1"}
    (told_of,) = [body["data"]["verdict"] for body in bodies if body["data"]["asset_id"] == asset["id"]]
    assert (told_of["revision"], told_of["cause"]) == (2, "document_revoked")
    history = (await rita.get("/verdicts", asset_id=asset["id"]))["items"]
    assert [(one["revision"], one["outcome"]) for one in history] == [(2, "escalate"), (1, "clear")]
    assert (await rita.post(f"/verdicts/{approved['id']}/replay"))["same"]


async def test_an_allow_bank_lifts_a_match_of_what_it_holds_for_its_productions(line: Installation) -> None:
    uma, rita = await team(line, "allowed")
    other, _ = await team(line, "not-allowed")
    bank = {"purpose": "allow", "productions": ["allowed"]}
    for refused in (bank | {"productions": []}, bank | {"productions": ["allowed", "not-allowed"]}):
        problem = await rita.ask("PUT", "/banks/licensed", status=422, json=refused)
        assert problem["errors"][0]["field"] == "productions"
    await rita.ask("PUT", "/banks/licensed", json=bank)
    still = png(photo(1901))
    await rita.protect(still, "A still of another film")
    matched = await uma.screened(still)
    owned = await rita.protect(still, "Licensed for this production", bank="licensed")
    allowed, elsewhere = await uma.screened(still), await other.screened(still)
    assert (matched["outcome"], counting(matched)) == ("escalate", {"S-MATCH-WHOLE"})
    assert (allowed["outcome"], counting(allowed)) == ("clear", set())
    (reason,) = [reason for reason in allowed["reasons"] if reason["rule"] == "S-MATCH-WHOLE"]
    assert reason["discharged_by"] == [f"licensed/{owned['id']}"]
    assert (elsewhere["outcome"], counting(elsewhere)) == ("escalate", {"S-MATCH-WHOLE"})
    assert {one["reference"]["bank"] for one in elsewhere["findings"]} == {"protected"}


async def test_a_dismissed_match_counts_for_that_upload_no_more(line: Installation) -> None:
    uma, rita = await team(line, "dismissed")
    reference = await rita.protect(png(photo(1902)), "Another ship")
    asset, other = await uma.upload(png(photo(1902))), await uma.upload(png(photo(1902)))
    for one in (asset, other):
        assert counting(await uma.decided(one["id"])) == {"S-MATCH-WHOLE"}
    (case,) = (await rita.get("/escalations", asset_id=asset["id"]))["items"]
    ruling = {"decision": "not_a_match", "reason": "another ship", "reference": reference["id"]}
    own = await uma.post(f"/escalations/{case['id']}/decide", ruling, status=403)
    await rita.post(f"/escalations/{case['id']}/decide", ruling)
    revised = await rita.revised(asset["id"], 2)
    assert own["code"] == "own_upload"
    assert (revised["cause"], revised["outcome"], lifted(revised)) == ("reviewed", "clear", {"S-MATCH-WHOLE"})
    assert counting(await rita.decided(other["id"])) == {"S-MATCH-WHOLE"}
