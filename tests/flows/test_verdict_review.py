"""People and documents: claims, rulings, the registry, and what each decides again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.screenings import FINAL, MATCH, MOOD_BOARD, screened
from tests.verdict_service import Running, running, until

pytestmark = pytest.mark.slow

REPLICA = MOOD_BOARD | {
    "use": "talent_work",
    "talent": [{"name": "Ada", "treatment": "digital_replica", "within_norms": "yes", "agreed": "yes"}],
}


async def case_of(service: Running, asset_id: str) -> Any:
    """Its newest case, once there is one."""

    async def found() -> Any:
        return (await service.get("/escalations", asset_id=asset_id))["items"]

    return (await until(found, "a case"))[0]


async def newest(service: Running, asset_id: str, revision: int) -> Any:
    """The newest verdict, which is this revision."""
    items = await service.verdicts(revision, asset_id=asset_id)
    assert items[0]["revision"] == revision
    return items[0]


async def test_an_approval_lifts_exactly_its_rules_and_closes_the_case(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.publish(screened("a", declaration=FINAL))
        case = await case_of(service, "a")
        assert case["state"] == "open"
        ruled = await service.post(f"/escalations/{case['id']}/decide", {"decision": "approve", "reason": "seen, good"})
        assert (ruled["state"], ruled["decision"]) == ("closed", "approve")
        verdict = await newest(service, "a", 2)
        assert (verdict["cause"], verdict["outcome"]) == ("reviewed", "clear")
        (document,) = (await service.get("/documents"))["items"]
        lifted = {reason["rule"] for reason in verdict["reasons"] if reason["discharged_by"] == [document["id"]]}
        assert {"P4", "A-FIN-1"} <= lifted
        assert document["scope"]["assets"] == ["a"]
        assert (await service.post(f"/verdicts/{verdict['id']}/replay"))["same"]


async def test_nobody_lifts_a_rule_off_the_own_upload(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.publish(screened("a", declaration=FINAL, findings=(MATCH,), person="Uma"))
        case = await case_of(service, "a")
        for ruling in ({"decision": "approve", "reason": "mine"}, {"decision": "not_a_match", "reason": "mine"}):
            problem = await service.post(f"/escalations/{case['id']}/decide", ruling, key="uma", status=403)
            assert problem["code"] == "own_upload"
        assert len(await service.verdicts(1, asset_id="a")) == 1


async def test_approving_needs_the_scope(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.publish(screened("a", declaration=FINAL))
        case = await case_of(service, "a")
        _, service.keys["rev"] = await service.backends.directory.create_key(
            name="rev", person="rev", scopes=["review"], productions=["atlas"]
        )
        ruling = {"decision": "approve", "reason": "x"}
        problem = await service.post(f"/escalations/{case['id']}/decide", ruling, key="rev", status=403)
        assert problem["code"] == "missing_scope"
        await service.post(f"/escalations/{case['id']}/claim", key="eve", status=403)


async def test_a_claimed_case_is_its_holders(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.publish(screened("a", declaration=FINAL))
        case = await case_of(service, "a")
        assert (await service.post(f"/escalations/{case['id']}/claim", key="sam"))["claimed_by"] == "sam"
        for path, body in (("claim", None), ("release", None), ("decide", {"decision": "reject", "reason": "no"})):
            problem = await service.post(f"/escalations/{case['id']}/{path}", body, status=409)
            assert problem["code"] == "claimed_by_other"
        await service.post(f"/escalations/{case['id']}/comment", {"text": "what about this?"})
        assert (await service.post(f"/escalations/{case['id']}/release", key="sam"))["state"] == "open"
        detail = await service.get(f"/escalations/{case['id']}")
        assert [note["action"] for note in detail["notes"]] == ["claim", "comment", "release"]


@pytest.mark.parametrize("decision", ["reject", "needs_changes"])
async def test_a_refusal_keeps_the_outcome_and_ends_the_case(tmp_path: Path, decision: str) -> None:
    async with running(tmp_path) as service:
        await service.publish(screened("a", declaration=FINAL))
        case = await case_of(service, "a")
        ruling = {"decision": decision, "reason": "no"}
        assert (await service.post(f"/escalations/{case['id']}/decide", ruling))["decision"] == decision
        problem = await service.post(f"/escalations/{case['id']}/decide", ruling, status=409)
        assert problem["code"] == "already_closed"
        assert (await newest(service, "a", 1))["outcome"] == "escalate"
        await service.publish(screened("a", number=2, declaration=MOOD_BOARD, cause="declaration_amended"))
        assert (await newest(service, "a", 2))["outcome"] == "clear"


async def test_not_a_match_dismisses_one_reference_of_one_asset(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.publish(screened("a", findings=(MATCH,)), screened("b", findings=(MATCH,)))
        case = await case_of(service, "a")
        wrong = {"decision": "not_a_match", "reason": "another ship", "reference": "work-9"}
        problem = await service.post(f"/escalations/{case['id']}/decide", wrong, status=422)
        assert problem["code"] == "unknown_reference"
        ruled = await service.post(f"/escalations/{case['id']}/decide", wrong | {"reference": "work-1"})
        assert ruled["state"] == "closed"
        assert (await newest(service, "a", 2))["outcome"] == "clear"
        assert (await newest(service, "b", 1))["outcome"] == "escalate"
        await service.publish(screened("a", number=2, findings=(MATCH,), cause="rescanned", cause_id="r"))
        await service.at_rest()
        assert len(await service.verdicts(2, asset_id="a")) == 2


def paper(kind: str, rules: list[str], **changes: Any) -> dict[str, Any]:
    return {"kind": kind, "rules": rules, "scope": {"production": "atlas"}, "given_by": "The studio"} | changes


async def test_a_document_is_decided_upon_and_its_revocation_too(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.publish(screened("a", declaration=FINAL), screened("b", declaration=FINAL))
        await service.verdicts(2)
        document = await service.post("/documents", paper("written_approval", ["P4", "A-FIN-1"]), status=201)
        for asset in ("a", "b"):
            verdict = await newest(service, asset, 2)
            assert (verdict["cause"], verdict["cause_id"], verdict["outcome"]) == (
                "document_added", document["id"], "clear",
            )  # fmt: skip
        revoked = await service.post(f"/documents/{document['id']}/revoke", {"reason": "withdrawn"})
        assert revoked["state"] == "revoked"
        for asset in ("a", "b"):
            verdict = await newest(service, asset, 3)
            assert (verdict["cause"], verdict["outcome"]) == ("document_revoked", "escalate")
        cases = (await service.get("/escalations", state="open"))["items"]
        assert sorted(case["asset_id"] for case in cases) == ["a", "b"]


async def test_two_people_where_the_rule_asks_for_them(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.publish(screened("a", declaration=REPLICA))
        await service.verdicts(1)
        rules = ["A-TAL-1", "M-ESC-2", "P5"]
        papers = [
            await service.post("/documents", paper(kind, rules), status=201)
            for kind in ("consent", "written_approval", "legal_review")
        ]
        before = (await service.verdicts(1, asset_id="a"))[0]
        assert before["outcome"] == "escalate"
        for document in papers:
            problem = await service.post(f"/documents/{document['id']}/confirm", status=403)
            assert problem["code"] == "second_person_needed"
            confirmed = await service.post(f"/documents/{document['id']}/confirm", key="sam")
            assert confirmed["confirmed_by"] == "sam"

        async def lifted() -> Any:
            verdict = (await service.verdicts(1, asset_id="a"))[0]
            return verdict if verdict["outcome"] == "clear" else None

        verdict = await until(lifted, "the discharge")
        assert verdict["cause"] == "document_confirmed"
        assert all(reason["discharged_by"] for reason in verdict["reasons"] if reason["outcome"] == "escalate")


async def test_expiry_decides_again_by_itself(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.publish(screened("a", declaration=FINAL))
        await service.verdicts(1)
        soon = (datetime.now(UTC) + timedelta(seconds=3)).isoformat()
        await service.post("/documents", paper("written_approval", ["P4", "A-FIN-1"], valid_until=soon), status=201)
        assert (await newest(service, "a", 2))["outcome"] == "clear"
        verdict = await newest(service, "a", 3)
        assert (verdict["cause"], verdict["outcome"]) == ("document_expired", "escalate")


async def test_validity_begins_by_itself(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.publish(screened("a", declaration=FINAL))
        await service.verdicts(1)
        soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
        body = paper("written_approval", ["P4", "A-FIN-1"], valid_from=soon)
        document = await service.post("/documents", body, status=201)
        assert document["state"] == "pending"
        assert (await newest(service, "a", 1))["outcome"] == "escalate"
        verdict = await newest(service, "a", 2)
        assert (verdict["cause"], verdict["cause_id"], verdict["outcome"]) == (
            "document_added",
            document["id"],
            "clear",
        )
        assert (await service.get(f"/documents/{document['id']}"))["state"] == "in_force"


async def test_an_approval_of_one_asset_lapses_when_its_facts_change(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.publish(screened("a", declaration=FINAL))
        case = await case_of(service, "a")
        await service.post(f"/escalations/{case['id']}/decide", {"decision": "approve", "reason": "seen, good"})
        assert (await newest(service, "a", 2))["outcome"] == "clear"
        renamed = FINAL | {"title": "Harbour, plate 13"}
        await service.publish(screened("a", number=2, declaration=renamed, cause="declaration_amended"))
        await service.at_rest()
        assert (await service.verdicts(2, asset_id="a"))[0][
            "outcome"
        ] == "clear"  # nothing that a rule reads has changed
        mixed = FINAL | {"output_nature": "mixed"}
        await service.publish(screened("a", number=3, declaration=mixed, cause="declaration_amended"))
        verdict = await newest(service, "a", 3)
        assert (verdict["outcome"], verdict["cause"]) == ("escalate", "declaration_amended")


async def test_a_document_for_another_production_or_nonsense_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.post("/documents", paper("written_approval", ["P4"]), key="bob", status=422)
        await service.post("/documents", paper("written_approval", []), status=422)
        await service.post("/documents", paper("blessing", ["P4"]), status=422)
        misspelt = await service.post("/documents", paper("consent", ["P4", "A-FINN-1"]), status=422)
        assert [(fault["field"], fault["remedy"]) for fault in misspelt["errors"]] == [
            ("rules[1]", "did you mean `A-FIN-1`?")
        ]
        await service.post("/documents", paper("consent", ["P4"], colour="red"), status=422)
        assets = {"production": "atlas", "assets": ["nowhere"]}
        problem = await service.post("/documents", paper("consent", ["P4"], scope=assets), status=422)
        assert problem["errors"][0]["field"] == "scope.assets"
        made = await service.post("/documents", paper("consent", ["P5"]), status=201)
        assert (await service.call("GET", f"/documents/{made['id']}", key="bob")).status_code == 404
