"""An upload's whole way, over HTTP, through all services: the same on one machine and on Kafka, PostgreSQL and S3."""

import asyncio
from typing import Any

import pytest
from PIL import ImageOps

from tests.drawings import jpeg, photo, png, poster
from tests.installation import MOOD_BOARD, STAGE, Installation, rescan, team, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


def rules(verdict: Any) -> set[str]:
    return {reason["rule"] for reason in verdict["reasons"]}


def without_nulls(data: Any) -> Any:
    """A verdict leaves out what is not known, an answer says null."""
    if isinstance(data, list):
        return [without_nulls(item) for item in data]
    if isinstance(data, dict):
        return {name: without_nulls(item) for name, item in data.items() if item is not None}
    return data


async def test_a_declared_mood_board_is_clear(line: Installation) -> None:
    uma, _ = await team(line, "clear")
    asset = await uma.upload(png(photo(1)))
    assert asset["links"]["self"] == f"/v1/assets/{asset['id']}"
    verdict = await uma.decided(asset["id"])
    assert (verdict["outcome"], verdict["revision"], verdict["cause"]) == ("clear", 1, "submitted")
    assert (rules(verdict), verdict["content_sha256"]) == ({"M-LOW-1"}, asset["sha256"])
    content = await uma.client.get(asset["links"]["self"] + "/content")
    assert content.content == png(photo(1))


async def test_what_the_declaration_says_decides(line: Installation) -> None:
    uma, _ = await team(line, "declared")
    sign = {"use": "background_element", "placement": {**MOOD_BOARD["placement"], "on_camera": "yes"}}
    consumer = {"stages": [STAGE | {"environment": "consumer", "stores_reuses_or_trains": "yes"}]}
    caution, escalate = await asyncio.gather(
        uma.screened(png(photo(2)), **sign), uma.screened(png(photo(2)), **consumer)
    )
    assert (caution["outcome"], rules(caution)) == ("caution", {"M-CAU-1"})
    assert (escalate["outcome"], "P2" in rules(escalate)) == ("escalate", True)


async def test_what_is_not_declared_counts_as_the_worse_answer(line: Installation) -> None:
    uma, _ = await team(line, "undeclared")
    verdict = await uma.screened(png(photo(3)), {})
    assert verdict["outcome"] == "escalate"
    assert "P2" in rules(verdict)
    assert verdict["to_do"]


async def test_what_cannot_be_read_waits_for_a_person(line: Installation) -> None:
    uma, _ = await team(line, "broken")
    whole = jpeg(photo(4))
    cut, text = await asyncio.gather(
        uma.screened(whole[: len(whole) // 2], name="cut.jpg"), uma.screened(b"no picture\n" * 40, name="text.jpg")
    )
    for verdict in (cut, text):
        assert verdict["outcome"] == "escalate"
        assert "S-UNSCREENABLE" in rules(verdict)
    assert cut["findings"][0]["reason"] != text["findings"][0]["reason"]


async def test_a_work_is_found_at_once_until_it_is_withdrawn(line: Installation) -> None:
    _, rita = await team(line, "matches")
    work, mirrored = poster(5), jpeg(ImageOps.mirror(poster(5)), 70)
    assert (await rita.screened(mirrored))["outcome"] == "clear"
    reference = await rita.protect(png(work), "Night Train")
    assert reference["status"] == "registered"
    found = await rita.screened(mirrored)
    assert (found["outcome"], rules(found)) == ("escalate", {"S-MATCH-WHOLE"})
    (match,) = [finding for finding in found["findings"] if finding["kind"] == "reference_match"]
    assert (match["reference"]["id"], match["reference"]["title"]) == (reference["id"], "Night Train")
    assert match["transform"].startswith("mirrored")
    await rita.ask("DELETE", f"/references/{reference['id']}", status=200)
    assert (await rita.screened(mirrored))["outcome"] == "clear"


async def test_a_lookup_finds_what_screening_finds_and_keeps_nothing(line: Installation) -> None:
    _, rita = await team(line, "lookups")
    reference = await rita.protect(png(poster(6)), "The Lighthouse")
    copy = jpeg(poster(6), 60)
    before = await rita.get("/assets")
    looked = await rita.ask("POST", "/lookups", files={"file": ("copy.jpg", copy)})
    assert await rita.get("/assets") == before
    screened = await rita.screened(copy)
    matches = [finding for finding in screened["findings"] if finding["kind"] == "reference_match"]
    assert without_nulls(looked["matches"]) == matches
    assert matches[0]["reference"]["id"] == reference["id"]
    by_hash = await rita.post("/lookups", {"pdq": looked["fingerprints"]["pdq"]})
    assert by_hash["matches"][0]["reference"]["id"] == reference["id"]


async def test_an_amended_declaration_is_a_new_revision(line: Installation) -> None:
    uma, _ = await team(line, "amended")
    asset = await uma.upload(png(photo(7)), deliverable="final")
    first = await uma.decided(asset["id"])
    told = MOOD_BOARD | {"production": "amended"}
    await uma.ask("PUT", f"/assets/{asset['id']}/declaration", status=202, json=told)
    second = await uma.revised(asset["id"], 2)
    assert (first["outcome"], second["outcome"]) == ("escalate", "clear")
    assert second["cause"] == "declaration_amended"
    kept = await uma.get("/verdicts", asset_id=asset["id"])
    assert [verdict["id"] for verdict in kept["items"]] == [second["id"], first["id"]]


async def test_a_rescan_changes_what_should_change_and_no_other(line: Installation) -> None:
    _, rita = await team(line, "rescans")
    copied, other = await rita.upload(png(poster(8))), await rita.upload(png(photo(8)))
    for asset in (copied, other):
        assert (await rita.decided(asset["id"]))["outcome"] == "clear"
    await rita.protect(png(poster(8)), "The Walled Garden")
    done = await rescan(rita, "references")
    assert (done["total"], done["counts"]) == (2, {"changed": 1, "unchanged": 1})
    (changed,) = done["changed"]
    assert (changed["asset_id"], changed["before"], changed["after"]) == (copied["id"], "clear", "escalate")
    assert [(await rita.decided(asset["id"]))["revision"] for asset in (copied, other)] == [2, 1]
    for anew in (["rulebook"], ["engine"], ["references", "rulebook", "engine"]):
        assert (await rescan(rita, *anew))["counts"] == {"unchanged": 2}
    assert (await rita.decided(copied["id"]))["revision"] == 2


async def test_another_person_lifts_an_escalation(line: Installation) -> None:
    uma, rita = await team(line, "review")
    asset = await uma.upload(png(photo(9)), deliverable="final")
    await uma.decided(asset["id"])
    (case,) = (await rita.get("/escalations", asset_id=asset["id"]))["items"]
    assert case["state"] == "open"
    ruling = {"decision": "approve", "reason": "cleared by the studio's lawyer"}
    own = await uma.post(f"/escalations/{case['id']}/decide", ruling, status=403)
    assert own["code"] == "own_upload"
    await rita.post(f"/escalations/{case['id']}/decide", ruling)
    second = await rita.revised(asset["id"], 2)
    assert (second["cause"], second["outcome"]) == ("reviewed", "clear")
    lifted = [reason for reason in second["reasons"] if reason["discharged_by"]]
    assert {reason["rule"] for reason in lifted} >= {"P4"}
    assert (await rita.get(f"/escalations/{case['id']}"))["state"] == "closed"


async def test_a_revoked_key_ends_within_five_seconds(line: Installation) -> None:
    eve = await line.person("eve", "upload", "read", production="revoked")
    await eve.get("/assets")
    await line.admin.ask("DELETE", f"/keys/{eve.key_id}", status=204)

    async def refused() -> bool:
        return (await eve.client.get("/v1/assets")).status_code == 401

    await asyncio.wait_for(until(refused, "the end of the key"), 5)
