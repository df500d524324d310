"""Known tools in the record: what a verdict took from the list is kept with it, so that it can be decided again."""

from services.verdict.replay import replay
from services.verdict.rulebooks import Rulebooks
from shared.rulebook.tools import Tools, parse_tools
from tests.screenings import MOOD_BOARD, screened
from tests.verdict_bench import Bench

_SILENT = MOOD_BOARD | {
    "stages": [
        {k: v for k, v in MOOD_BOARD["stages"][0].items() if k not in ("environment", "stores_reuses_or_trains")}
    ]
}
_LIST = "tools: [{vendor: in house, tool: house-diffusion, environment: enterprise, stores_reuses_or_trains: no}]"


async def test_a_known_tool_needs_no_terms_and_the_verdict_replays_without_the_list(bench: Bench) -> None:
    await bench.settle(screened("a", declaration=_SILENT))
    bench.tools = parse_tools(_LIST)
    await bench.settle(screened("b", declaration=_SILENT))
    bench.tools = Tools()
    unknown, known = await bench.verdicts()
    assert (unknown.outcome, known.outcome) == ("escalate", "clear")
    assert "P2" in {reason.rule for reason in unknown.reasons}
    async with bench.store.read() as connection:
        for verdict in (unknown, known):
            again = await replay(connection, Rulebooks(), verdict.id)
            assert again is not None
            assert again.same


async def test_terms_that_leave_the_list_count_from_the_next_decision_on(bench: Bench) -> None:
    bench.tools = parse_tools(_LIST)
    await bench.settle(screened("a", declaration=_SILENT))
    bench.tools = Tools()
    await bench.settle(screened("a", number=2, declaration=_SILENT, cause="rescanned", cause_id="r"))
    assert [verdict.outcome for verdict in await bench.verdicts()] == ["clear", "escalate"]
