"""Messages that nobody can use, among good ones; and decode processes that are killed within a file."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from shared.bus.port import Record
from shared.ids import new_id
from tests.drawings import photo, png, poster
from tests.faults.log import await_rest, publish, records_of
from tests.faults.machine import Machine, machine, until

pytestmark = pytest.mark.faults
SMALL = (160, 200)
POISONED = ("assets.submitted", "assets.screened", "references.submitted")


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path) as running:
        yield running


def _large() -> bytes:
    """A second's work for a decode process."""
    return png(photo(2, (4000, 3000)))


def _spoilt(good: Record) -> dict[str, Record]:
    """Reason -> a record that is given up for it."""
    topic, key, value, headers = good.topic, good.key, good.value, dict(good.headers)
    return {
        "not_a_cloudevent": Record(topic, key, value, {}),
        "unknown_event_type": Record(topic, key, value, headers | {"ce_type": "clearframe.asset.eaten.v9"}),
        "invalid_event": Record(topic, key, b'{"number": "many"}', headers),
        "wrong_key": Record(topic, "somebody-else", value, headers),
    }


def test_poison_is_put_aside_and_the_good_ones_are_decided(line: Machine) -> None:
    before = [line.submit(png(photo(number, SMALL))) for number in range(3)]
    reference = line.protect(png(poster(700, SMALL)), "The Walled Garden")
    for asset in before:
        line.decided(asset)
    records = records_of(line.bus)
    good = {topic: next(record for record in records if record.topic == topic) for topic in POISONED}
    expected = {(topic, reason) for topic in POISONED for reason in _spoilt(good[topic])}
    after = []
    for number, (topic, reason) in enumerate(sorted(expected)):
        publish(line.bus, [_spoilt(good[topic])[reason]])
        after.append(line.submit(png(photo(10 + number, SMALL))))
    assert {line.decided(asset)["outcome"] for asset in after} == {"clear"}
    copy = line.decided(line.submit(png(poster(700, SMALL))))
    assert [finding["reference"]["id"] for finding in copy["findings"]] == [reference]
    await_rest(line.bus)
    letters = _letters(line)
    assert sorted((letter["topic"], letter["reason"]) for letter in letters) == sorted(expected)
    assert all(len(letter["sha256"]) == 64 and letter["offset"] >= 0 for letter in letters)
    assert len(list(line.client.every("verdict", "/v1/verdicts"))) == len(before) + len(after) + 1


def test_what_is_put_back_comes_to_its_verdict(line: Machine) -> None:
    asset = line.submit(png(photo(1, SMALL)))
    line.decided(asset)
    submitted = next(record for record in records_of(line.bus) if record.topic == "assets.submitted")
    given_up = new_id()  # the same content once more, as an earlier version may have given it up
    value = json.loads(submitted.value) | {"asset_id": given_up, "cause_id": given_up}
    reasons = {"reason": "unknown_event_type", "detail": "", "topic": "assets.submitted", "partition": "0",
               "offset": "7", "sha256": "0" * 64, "group": "screening", "at": "0"}  # fmt: skip
    headers = {f"dead_{name}": reason for name, reason in reasons.items()}
    letter = Record("assets.submitted.dead", given_up, json.dumps(value).encode(), dict(submitted.headers) | headers)
    publish(line.bus, [letter])
    (listed,) = until(lambda: _letters(line), "the letter")
    done = line.command("dead", "replay", listed["id"])
    assert done.returncode == 0, done.stderr
    (verdict,) = until(lambda: line.client.get("verdict", "/v1/verdicts", asset_id=given_up)["items"], "the verdict")
    assert verdict["outcome"] == "clear"
    shown = json.loads(line.command("dead", "show", listed["id"], "--json").stdout)
    assert shown["replayed_at"] is not None


def _letters(line: Machine) -> list[Any]:
    done = line.command("dead", "list", "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(text) for text in done.stdout.splitlines()]


def test_a_decode_process_killed_within_a_file_costs_nothing(line: Machine) -> None:
    asset = line.submit(_large())
    os.kill(until(lambda: _decoders(line, within_a_file=True), "work in a decode process")[0], signal.SIGKILL)
    assert line.decided(asset)["outcome"] == "clear"
    assert "decode_process_died" in line.said
    assert line.decided(line.submit(png(photo(3, SMALL))))["outcome"] == "clear"


def test_a_decode_process_killed_at_its_start_costs_nothing(line: Machine) -> None:
    asset = line.submit(png(photo(1, SMALL)))
    os.kill(until(lambda: _decoders(line, within_a_file=False), "a decode process")[0], signal.SIGKILL)
    assert line.decided(asset)["outcome"] == "clear"


def test_a_file_that_kills_every_decode_process_waits_for_a_person(line: Machine) -> None:
    asset = line.submit(_large())

    def done() -> bool:
        for child in _decoders(line, within_a_file=True):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        return bool(line.client.get("verdict", "/v1/verdicts", asset_id=asset)["items"])

    until(done, "the verdict")
    verdict = line.decided(asset)
    assert (verdict["outcome"], verdict["findings"][0]["reason"]) == ("escalate", "resource_limit")
    assert line.decided(line.submit(png(photo(3, SMALL))))["outcome"] == "clear"


def _decoders(line: Machine, *, within_a_file: bool) -> list[int]:
    """The decode processes of this installation that have a blob open, or those that have not."""
    found = [path for path in Path("/proc").iterdir() if path.name.isdigit() and _is_decoder(line, path)]
    return [int(path.name) for path in found if _holds_blob(line, path) is within_a_file]


def _is_decoder(line: Machine, path: Path) -> bool:
    with suppress(OSError):
        parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        return parent == line.process.pid and "pool_child" in (path / "cmdline").read_text()
    return False


def _holds_blob(line: Machine, path: Path) -> bool:
    with suppress(OSError):
        return any(str(line.data / "blobs") in str(open_file.readlink()) for open_file in (path / "fd").iterdir())
    return False
