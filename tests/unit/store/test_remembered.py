"""Answers kept for a moment."""

import asyncio

import pytest

from shared.store.remembered import Remembered


class Source:
    """Counts how often it is asked; answers once it is let."""

    def __init__(self, answers: dict[str, int]) -> None:
        self.answers = answers
        self.asked = 0
        self.open = asyncio.Event()
        self.open.set()

    async def look(self, key: str) -> int | None:
        self.asked += 1
        answer = self.answers.get(key)
        await self.open.wait()
        return answer


async def test_an_answer_is_kept_and_many_share_one_look() -> None:
    source = Source({"a": 1})
    remembered = Remembered(source.look, seconds=60)
    assert await asyncio.gather(*(remembered.get("a") for _ in range(20))) == [1] * 20
    assert await remembered.get("a") == 1
    assert source.asked == 1


async def test_an_answer_grows_old() -> None:
    source = Source({"a": 1})
    remembered = Remembered(source.look, seconds=0)
    await remembered.get("a")
    source.answers["a"] = 2
    assert await remembered.get("a") == 2


async def test_nothing_is_asked_anew() -> None:
    source = Source({})
    remembered = Remembered(source.look, seconds=60)
    assert await remembered.get("a") is None
    source.answers["a"] = 1
    assert await remembered.get("a") == 1


async def test_what_was_asked_before_forgetting_is_not_kept() -> None:
    source = Source({"a": 1})
    source.open.clear()
    remembered = Remembered(source.look, seconds=60)
    early = asyncio.create_task(remembered.get("a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    source.answers["a"] = 2
    remembered.forget()
    source.open.set()
    assert await early == 1
    assert await remembered.get("a") == 2


async def test_a_failure_is_for_those_who_asked_and_not_kept() -> None:
    fails = True

    async def look(_key: str) -> int:
        if fails:
            raise ConnectionError
        return 1

    remembered = Remembered(look, seconds=60)
    with pytest.raises(ConnectionError):
        await remembered.get("a")
    fails = False
    assert await remembered.get("a") == 1


async def test_one_who_gives_up_leaves_the_answer_to_the_others() -> None:
    source = Source({"a": 1})
    source.open.clear()
    remembered = Remembered(source.look, seconds=60)
    leaver, stayer = (asyncio.create_task(remembered.get("a")) for _ in range(2))
    await asyncio.sleep(0)
    leaver.cancel()
    source.open.set()
    assert await stayer == 1
    assert source.asked == 1


async def test_the_oldest_answer_makes_room() -> None:
    source = Source({"a": 1, "b": 2, "c": 3})
    remembered = Remembered(source.look, seconds=60, most=2)
    for key in "abc":
        await remembered.get(key)
    await remembered.get("c")
    assert source.asked == 3
    await remembered.get("a")
    assert source.asked == 4
