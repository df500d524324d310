"""The life of a rulebook over the API: checked, put on record, tried out, put in force, taken back."""

from pathlib import Path
from typing import Any

import pytest

from shared.rulebook.loader import shipped_rulebook
from tests.screenings import FINAL, MOOD_BOARD, screened
from tests.verdict_service import Running, running

pytestmark = pytest.mark.slow

STRICT = """
rulebook:
  id: strict
  version: 1.0.0
  title: Nothing generated without a word from us
  baseline: {production: atlas, genai_used: yes, deliverable: temporary}
rules:
  - id: ALL
    title: Everything generated is looked at
    serves: creative_rights
    when: {genai_used: yes}
    outcome: escalate
    because: It was generated.
    needs: [[written_approval]]
    examples:
      fires: [{}]
      near_miss: [{declare: {genai_used: no}}]
"""
BESIDE = (
    STRICT.replace("version: 1.0.0", "version: 1.1.0")
    + """
  - id: FINAL
    title: The final cut
    serves: audience_trust
    when: {deliverable: final}
    outcome: caution
    because: It is final.
    examples: {fires: [{declare: {deliverable: final}}], near_miss: [{}]}
""".replace("outcome: caution", "outcome: caution\n    shadow: true")
)
WHY = {"reason": "from the first of the month"}


@pytest.fixture
def text() -> dict[str, Any]:
    return {"sources": {"strict.yaml": STRICT}}


async def decided(service: Running, count: int) -> list[Any]:
    await service.at_rest()
    return await service.verdicts(count)


async def test_faults_are_told_with_their_places_and_what_decides_stays(tmp_path: Path, text: dict[str, Any]) -> None:
    broken = {
        "sources": {"strict.yaml": STRICT.replace("genai_used: yes}\n    outcome", "genai_use: yes}\n    outcome")}
    }
    async with running(tmp_path) as service:
        assert (await service.post("/rulebooks/validate", text))["valid"]
        found = await service.post("/rulebooks/validate", broken)
        refused = await service.post("/rulebooks", broken, status=422)
        listed = (await service.get("/rulebooks"))["items"]
    assert not found["valid"]
    assert found["faults"][0]["field"] == "strict.yaml:11:12: rules[0].when.genai_use"
    assert found["faults"][0]["remedy"] == "did you mean `genai_used`?"
    assert (refused["code"], refused["errors"]) == ("invalid_rulebook", found["faults"])
    assert [one["id"] for one in listed] == ["studio-genai"]


async def test_a_backtest_counts_every_move_and_stores_nothing(tmp_path: Path, text: dict[str, Any]) -> None:
    undeclared = {"production": "borealis", "genai_used": "no", "deliverable": "temporary"}
    async with running(tmp_path) as service:
        assets = [screened("a"), screened("b", declaration=FINAL), screened("c", declaration=undeclared)]
        await service.publish(*assets)
        await decided(service, 3)
        first = await service.post("/rulebooks/backtest", text | {"limit": 2})
        second = await service.post("/rulebooks/backtest", text | {"limit": 2, "after": first["next"]})
        of_one = await service.post("/rulebooks/backtest", text, key="bob")
        active = await service.post("/rulebooks/studio-genai/1.0.0/backtest", {})
        assert len(await decided(service, 3)) == 3
        assert len((await service.get("/rulebooks"))["items"]) == 1
    assert first["matrix"]["clear"] == {"clear": 0, "caution": 0, "escalate": 1}
    assert first["matrix"]["escalate"]["escalate"] == 1
    assert (second["decided"], second["next"], second["matrix"]["clear"]["clear"]) == (1, None, 1)
    moved = first["samples"][0]
    assert (moved["asset_id"], moved["before"], moved["after"]) == ("a", "clear", "escalate")
    assert (moved["gained"], moved["lost"]) == (["ALL"], ["M-LOW-1"])
    assert (of_one["decided"], active["changed"]) == (1, 0)


async def test_put_in_force_and_taken_back_while_old_verdicts_stay(tmp_path: Path, text: dict[str, Any]) -> None:
    async with running(tmp_path) as service:
        await service.publish(screened("a"))
        await decided(service, 1)
        made = await service.post("/rulebooks", text, status=201)
        assert (made["id"], made["active"]) == ("strict", False)
        assert (await service.post("/rulebooks/strict/1.0.0/activate", WHY))["active"]
        await service.publish(screened("b"))
        await decided(service, 2)
        assert (await service.post("/rulebooks/rollback", WHY))["id"] == "studio-genai"
        await service.publish(screened("c"))
        verdicts = {verdict["asset_id"]: verdict for verdict in await decided(service, 3)}
        for verdict in verdicts.values():
            assert (await service.post(f"/verdicts/{verdict['id']}/replay"))["same"]
        history = (await service.get("/rulebooks/activations"))["items"]
    assert [verdicts[asset]["outcome"] for asset in "abc"] == ["clear", "escalate", "clear"]
    assert [verdicts[asset]["versions"]["rulebook"]["id"] for asset in "abc"] == [
        "studio-genai",
        "strict",
        "studio-genai",
    ]
    assert [(entry["action"], entry["person"]) for entry in history] == [
        ("rolled_back", "rita"),
        ("activated", "rita"),
        ("installed", ""),
    ]
    assert history[0]["previous_sha256"] == history[1]["sha256"] == made["sha256"]
    assert [(entry["rulebook"]["id"], (entry["previous"] or {}).get("id")) for entry in history] == [
        ("studio-genai", "strict"),
        ("strict", "studio-genai"),
        ("studio-genai", None),
    ]


async def test_who_may_and_what_is_refused(tmp_path: Path, text: dict[str, Any]) -> None:
    async with running(tmp_path) as service:
        await service.post("/rulebooks", text, key="sam", status=403)
        await service.post("/rulebooks", text, status=201)
        await service.post("/rulebooks", text, status=201)
        other = {"sources": {"strict.yaml": STRICT.replace("It was generated", "Somebody generated it")}}
        assert (await service.post("/rulebooks", other, status=409))["code"] == "version_taken"
        await service.post("/rulebooks/strict/1.0.0/activate", WHY, key="bob", status=403)
        await service.post("/rulebooks/strict/9.0.0/activate", WHY, status=404)
        assert (await service.post("/rulebooks/rollback", WHY, status=409))["code"] == "nothing_before"
        assert (await service.get("/rulebooks/studio-genai/active"))["active"]


async def test_a_diff_names_rules_and_examples_that_change(tmp_path: Path) -> None:
    shipped = shipped_rulebook()
    changed = {name: source.replace("version: 1.0.0", "version: 1.1.0") for name, source in shipped.sources.items()}
    changed["10-principles.yaml"] = changed["10-principles.yaml"].replace(
        "outcome: caution\n    because: A tool that is not", "outcome: escalate\n    because: A tool that is not"
    )
    async with running(tmp_path) as service:
        await service.post("/rulebooks", {"sources": changed}, status=201)
        found = await service.get("/rulebooks/studio-genai/1.1.0/diff")
        same = await service.get("/rulebooks/studio-genai/1.1.0/diff", against="studio-genai/1.1.0")
    assert [(change["rule"], change["change"]) for change in found["rules"]] == [("P3", "changed")]
    assert found["rules"][0]["fields"] == [{"field": "outcome", "before": "caution", "after": "escalate"}]
    assert {(case["before"], case["after"]) for case in found["examples"]} == {("caution", "escalate")}
    assert (same["rules"], same["examples"]) == ([], [])


async def test_a_rescan_decides_old_uploads_by_the_new_rulebook(tmp_path: Path, text: dict[str, Any]) -> None:
    async with running(tmp_path) as service:
        await service.publish(screened("a", declaration=MOOD_BOARD))
        await decided(service, 1)
        await service.post("/rulebooks", text, status=201)
        await service.post("/rulebooks/strict/1.0.0/activate", WHY)
        await service.post("/rescans", {"with": ["rulebook"]}, status=202)
        newest, first = await service.verdicts(2)
    assert (first["outcome"], newest["outcome"], newest["revision"]) == ("clear", "escalate", 2)


async def test_a_rulebook_in_shadow_is_recorded_beside_and_decides_nothing(
    tmp_path: Path, text: dict[str, Any]
) -> None:
    async with running(tmp_path) as service:
        await service.post("/rulebooks", text, status=201)
        path = "/rulebooks/strict/1.0.0/shadow"
        await service.post(path, WHY, key="bob", status=403)
        assert (await service.post(path, WHY))["since"]
        await service.post("/rulebooks/strict/9.0.0/shadow", WHY, status=404)
        await service.publish(screened("a"), screened("b", declaration=FINAL))
        decided_now = {one["asset_id"]: one["outcome"] for one in await decided(service, 2)}
        found = await service.get(path)
        elsewhere = await service.get(path, key="bob")
        ended = await service.call("DELETE", path)
        await service.publish(screened("c"))
        await decided(service, 3)
        after = await service.get(path)
    assert decided_now == {"a": "clear", "b": "escalate"}
    assert (found["decided"], found["matrix"]["clear"]["escalate"], found["matrix"]["escalate"]["escalate"]) == (
        2,
        1,
        1,
    )
    (of_a,) = [sample for sample in found["samples"] if sample["asset_id"] == "a"]
    assert (of_a["rules"], of_a["shadow_rules"]) == (["M-LOW-1"], ["ALL"])
    assert elsewhere["decided"] == 0
    assert ended.json()["since"] is None
    assert (after["decided"], after["matrix"]) == (2, found["matrix"])


async def test_a_single_rule_in_shadow_is_recorded_beside_and_decides_nothing(tmp_path: Path) -> None:
    beside = {"sources": {"strict.yaml": BESIDE}}
    async with running(tmp_path) as service:
        assert (await service.post("/rulebooks/validate", beside))["in_shadow"] == ["FINAL"]
        await service.post("/rulebooks", beside, status=201)
        await service.post("/rulebooks/strict/1.1.0/activate", WHY)
        none = {"production": "atlas", "genai_used": "no", "deliverable": "final"}
        await service.publish(screened("a", declaration=none), screened("b"))
        verdicts = {one["asset_id"]: one for one in await decided(service, 2)}
        said = await service.get(f"/verdicts/{verdicts['a']['id']}/shadows")
        compared = await service.get("/rulebooks/strict/1.1.0/shadow")
        hidden = await service.call("GET", f"/verdicts/{verdicts['a']['id']}/shadows", key="bob")
        for verdict in verdicts.values():
            assert (await service.post(f"/verdicts/{verdict['id']}/replay"))["same"]
    assert (verdicts["a"]["outcome"], verdicts["a"]["reasons"]) == ("clear", [])
    (one,) = said["items"]
    assert (one["rulebook"]["version"], one["outcome"], one["rules"]) == ("1.1.0", "caution", ["FINAL"])
    assert (compared["rules"], compared["decided"], compared["matrix"]["clear"]["caution"]) == (["FINAL"], 2, 1)
    assert [sample["asset_id"] for sample in compared["samples"]] == ["a"]
    assert hidden.status_code == 404


BAD = {
    "duplicate keys": (STRICT + "    outcome: clear\n", "the key `outcome` appears twice"),
    "an unknown fact": (STRICT.replace("when: {genai_used: yes}", "when: {genai: yes}"), "there is no fact `genai`"),
    "contradictory examples": (STRICT.replace("near_miss: [{declare: {genai_used: no}}]", "near_miss: [{}]"), "contra"),
    "a cycle of anchors": (STRICT.replace("[[written_approval]]", "&a [*a]"), "an anchor that contains itself"),
    "10,000 rules": (STRICT + "  - {id: R}\n" * 10_000, "there are more than 1,000 rules"),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_rulebook_is_refused_with_line_and_remedy_and_what_decides_stays(tmp_path: Path, name: str) -> None:
    text, message = BAD[name]
    sources = {"sources": {"strict.yaml": text}}
    async with running(tmp_path) as service:
        found = await service.post("/rulebooks/validate", sources)
        refused = await service.post("/rulebooks", sources, status=422)
        listed = (await service.get("/rulebooks"))["items"]
        await service.publish(screened("a"))
        (verdict,) = await decided(service, 1)
    assert not found["valid"]
    faults = [fault for fault in refused["errors"] if message in fault["message"]]
    assert faults, refused["errors"]
    assert faults[0]["field"].startswith("strict.yaml:")
    assert faults[0]["remedy"]
    assert [one["id"] for one in listed] == ["studio-genai"]
    assert verdict["versions"]["rulebook"]["id"] == "studio-genai"


async def test_a_rule_that_never_fires_is_warned_of_and_taken(tmp_path: Path) -> None:
    never = STRICT.replace("when: {genai_used: yes}", "when: {genai_used: yes, not: {genai_used: yes}}")
    never = never.replace("fires: [{}]", "fires: [{declare: {genai_used: unsure}}]")
    async with running(tmp_path) as service:
        found = await service.post("/rulebooks/validate", {"sources": {"strict.yaml": never}})
        await service.post("/rulebooks", {"sources": {"strict.yaml": never}}, status=201)
    assert found["valid"]
    (warning,) = found["warnings"]
    assert warning["field"] == "strict.yaml:11:5: rules[0].when"
    assert "can never fire" in warning["message"]
    assert "`genai_used`" in warning["remedy"]
