"""Rulebooks on record: versions are pinned, and never change their words."""

from dataclasses import replace

import pytest

from services.verdict.replay import differences, replay
from services.verdict.rulebooks import Rulebooks, on_record
from shared.errors import ConfigurationError, Unavailable
from shared.rulebook.loader import parse_rulebook, shipped_rulebook
from shared.rulebook.model import Rulebook
from shared.verdicts import Outcome
from tests.screenings import FINAL, START, screened
from tests.verdict_bench import Bench


def changed(*, version: str) -> Rulebook:
    """The shipped rulebook with another version and a word changed, so that its digest differs."""
    shipped = shipped_rulebook()
    sources = {name: text.replace(shipped.version.version, version, 1) for name, text in shipped.sources.items()}
    first = next(iter(sources))
    return parse_rulebook(sources | {first: sources[first] + "# another word\n"})


async def install(bench: Bench, rulebook: Rulebook) -> None:
    async with bench.store.write() as connection:
        await bench.rulebooks.install(connection, rulebook, START)


async def test_a_changed_file_with_the_same_version_is_refused(bench: Bench) -> None:
    await install(bench, shipped_rulebook())
    with pytest.raises(ConfigurationError, match="raise the `version`"):
        await install(bench, changed(version=shipped_rulebook().version.version))


async def test_a_new_version_decides_from_now_on_and_old_verdicts_replay_with_theirs(bench: Bench) -> None:
    await bench.settle(screened("a", declaration=FINAL))
    await install(bench, changed(version="9.0.0"))
    await bench.settle(screened("b", declaration=FINAL))
    old, new = await bench.verdicts()
    assert (old.versions.rulebook.version, new.versions.rulebook.version) == (
        shipped_rulebook().version.version,
        "9.0.0",
    )
    async with bench.store.read() as connection:
        listed = await on_record(connection)
        for verdict in (old, new):
            again = await replay(connection, Rulebooks(), verdict.id)
            assert again is not None
            assert again.same
    assert [(one.version.version, one.active) for one in listed if one.active] == [("9.0.0", True)]


async def test_an_older_version_known_already_does_not_come_back_by_a_restart(bench: Bench) -> None:
    await install(bench, changed(version="9.0.0"))
    await install(bench, shipped_rulebook())
    async with bench.store.read() as connection:
        assert (await bench.rulebooks.active(connection)).version.version == "9.0.0"


async def test_a_verdict_without_its_rulebook_cannot_be_replayed(bench: Bench) -> None:
    async with bench.store.read() as connection:
        with pytest.raises(Unavailable, match="no rulebook on record"):
            await bench.rulebooks.pinned(connection, "0" * 64)


async def test_a_difference_is_named(bench: Bench) -> None:
    await bench.settle(screened("a"))
    (verdict,) = await bench.verdicts()
    from services.verdict.decide import Decision

    same = Decision(verdict.outcome, verdict.reasons, verdict.to_do, verdict.summary)
    assert differences(verdict, same) == ()
    assert differences(verdict, replace(same, outcome=Outcome.ESCALATE, summary="x")) == ("outcome", "summary")
