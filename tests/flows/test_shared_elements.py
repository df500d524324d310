"""A work or region marked as common no longer alarms; the marking is recorded, and a rescan heeds it."""

import pytest

from tests.drawings import jpeg, png, poster
from tests.installation import Installation, rescan, team

pytestmark = pytest.mark.asyncio(loop_scope="session")
SIZE = (320, 400)


async def test_a_work_marked_as_common_no_longer_alarms(line: Installation) -> None:
    uma, rita = await team(line, "elements")
    work = (await rita.protect(png(poster(951, SIZE)), "A distributor's banner"))["id"]
    asset = await uma.upload(jpeg(poster(951, SIZE), 60))
    assert (await uma.decided(asset["id"]))["outcome"] == "escalate"
    marks = [{"region": None, "note": "the distributor's banner"}]
    marked = await rita.ask("PATCH", f"/references/{work}", status=200, json={"common": marks})
    (mark,) = marked["common"]
    assert (mark["region"], mark["note"], mark["marked_by"]) == (None, marks[0]["note"], "rita of elements")
    assert mark["marked_at"]
    await rescan(rita, "references")
    verdict = await uma.revised(asset["id"], 2)
    assert verdict["outcome"] == "clear"
    assert [finding["extent"] for finding in verdict["findings"]] == ["common"]
    kept = await rita.ask("PATCH", f"/references/{work}", status=200, json={"label": "banner"})
    assert kept["common"] == marked["common"]
    bare = await rita.ask("PATCH", f"/references/{work}", status=200, json={"common": []})
    assert bare["common"] == []
    assert (await uma.screened(jpeg(poster(951, SIZE), 70)))["outcome"] == "escalate"


@pytest.mark.parametrize("region", [[[0, 0], [1, 0], [1, 1]], [[0, 0], [2, 0], [2, 1], [0, 1]], "all"])
async def test_a_region_that_is_none_is_refused(line: Installation, region: object) -> None:
    _, rita = await team(line, "elements")
    work = (await rita.protect(png(poster(952, SIZE)), "No banner"))["id"]
    answer = await rita.ask(
        "PATCH", f"/references/{work}", status=422, json={"common": [{"region": region, "note": "x"}]}
    )
    assert answer["errors"][0]["field"].startswith("common")


async def test_a_work_is_shown_to_who_may_see_works(line: Installation) -> None:
    uma, rita = await team(line, "elements")
    work = (await rita.protect(png(poster(953, SIZE)), "A work to show"))["id"]
    shown = await rita.client.get(f"/v1/references/{work}/preview")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    assert shown.content.startswith(b"\xff\xd8")
    stranger = await line.person("stranger", "upload", production=uma.production)
    assert (await stranger.client.get(f"/v1/references/{work}/preview")).status_code == 403
