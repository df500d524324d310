from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from services.screening.matching.exact import SegmentedTable
from services.screening.matching.exact.segment import Segment
from services.screening.matching.exact.table import Snapshot
from services.screening.matching.hash_table import ScanTable
from services.screening.matching.whole import WholeIndex

VALUES = [np.random.default_rng(seed).bytes(32) for seed in range(6)]
NEAR = [bytes([value[0] ^ 0b101]) + value[1:] for value in VALUES[:3]]
NAMES = st.integers(0, 11).map(lambda number: f"r{number}")


class AgainstThePlainTable(RuleBasedStateMachine):
    """Adds, removals, merges that overlap with them, and restarts leave what a plain table holds."""

    folder: Path
    bits: int
    radius: int

    def __init__(self) -> None:
        super().__init__()
        self.plain = ScanTable(self.bits // 64)
        self.log: list[tuple[str, bytes | None]] = []
        self.merging: Snapshot | None = None

    @initialize()
    def start(self) -> None:
        run = sum(1 for _ in self.folder.iterdir())
        self.home = self.folder / str(run)
        self.open()

    def open(self) -> None:
        self.table = SegmentedTable(self.home, bits=self.bits, radius=self.radius)

    @rule(name=NAMES, value=st.sampled_from([*VALUES, *NEAR]))
    def add(self, name: str, value: bytes) -> None:
        value = value[: self.bits // 8]
        self.log.append((name, value))
        self.table.add(name, value)
        self.plain.add(name, value)

    @rule(name=NAMES)
    def remove(self, name: str) -> None:
        self.log.append((name, None))
        self.table.remove(name)
        self.plain.remove(name)

    @rule()
    def begin_merge(self) -> None:
        if self.merging is None:
            self.merging = self.table.snapshot(len(self.log))

    @rule()
    def end_merge(self) -> None:
        if self.merging is not None:
            self.table.adopt(self.merging.build())
            self.merging = None

    @rule(killed_in_merge=st.booleans())
    def restart(self, killed_in_merge: bool) -> None:
        if self.merging is not None and killed_in_merge:
            self.merging.build()
        self.merging = None
        self.open()
        for name, value in self.log[self.table.position :]:
            if value is None:
                self.table.remove(name)
            else:
                self.table.add(name, value)

    @invariant()
    def same(self) -> None:
        if hasattr(self, "table"):
            assert len(self.table) == len(self.plain)
            for value in (each[: self.bits // 8] for each in VALUES):
                assert sorted(self.table.within(value, self.radius)) == sorted(self.plain.within(value, self.radius))
            for number in range(12):
                assert self.table.value_of(f"r{number}") == self.plain.value_of(f"r{number}")


@pytest.mark.parametrize(("bits", "radius"), [(256, 31), (64, 10)])
def test_against_the_plain_table(tmp_path: Path, bits: int, radius: int) -> None:
    machine = type("Machine", (AgainstThePlainTable,), {"folder": tmp_path, "bits": bits, "radius": radius})
    run_state_machine_as_test(machine, settings=settings(max_examples=15, stateful_step_count=25, deadline=None))


def filled(folder: Path, count: int) -> SegmentedTable:
    table = SegmentedTable(folder, bits=256, radius=31)
    for number in range(count):
        table.add(f"r{number}", VALUES[number])
    return table


def test_a_damaged_segment_is_refused_and_the_one_before_serves(tmp_path: Path) -> None:
    table = filled(tmp_path, 2)
    table.adopt(table.snapshot(2).build())
    table.add("r2", VALUES[2])
    newest = table.snapshot(3).build()
    table.adopt(newest)
    (newest.folder / "rows").write_bytes(b"")
    again = SegmentedTable(tmp_path, bits=256, radius=31)
    assert again.position == 2
    assert "rows" in again.refused[0]
    assert again.within(VALUES[1], 31) == [("r1", 0)]


def test_one_flipped_bit_is_refused_once_all_is_read(tmp_path: Path) -> None:
    table = filled(tmp_path, 2)
    table.adopt(table.snapshot(2).build())
    table.add("r2", VALUES[2])
    newest = table.snapshot(3).build()
    hashes = bytearray((newest.folder / "hashes").read_bytes())
    hashes[40] ^= 1
    (newest.folder / "hashes").write_bytes(hashes)
    again = SegmentedTable(tmp_path, bits=256, radius=31)
    assert (again.position, again.refused) == (3, [])
    again.refuse_damaged()
    assert again.position == 2
    assert "SHA-256" in again.refused[0]
    assert again.within(VALUES[1], 31) == [("r1", 0)]
    assert SegmentedTable(tmp_path, bits=256, radius=31).position == 2


def test_a_cleared_table_holds_nothing_and_stays_so(tmp_path: Path) -> None:
    table = filled(tmp_path, 2)
    table.adopt(table.snapshot(2).build())
    table.clear()
    assert len(table) == 0
    assert table.within(VALUES[1], 31) == []
    assert SegmentedTable(tmp_path, bits=256, radius=31).position == 0


def test_only_the_last_two_segments_are_kept(tmp_path: Path) -> None:
    table = filled(tmp_path, 3)
    for position in range(5):
        table.adopt(table.snapshot(position).build())
        table.sweep()
    assert len(list(tmp_path.iterdir())) == 2
    assert table.unmerged == 0


def test_a_whole_index_over_segments_finds_the_same(tmp_path: Path) -> None:
    segmented = WholeIndex(
        pdq=SegmentedTable(tmp_path / "pdq", bits=256, radius=31),
        phash=SegmentedTable(tmp_path / "phash", bits=64, radius=10),
    )
    plain = WholeIndex()
    for index in (segmented, plain):
        for number, value in enumerate(VALUES):
            index.add(f"r{number}", pdq=value, phash=value[:8])
        index.remove("r3")
    for value in VALUES:
        variants = [("identity", value)]
        assert segmented.search_pdq(variants, 90, radius=31) == plain.search_pdq(variants, 90, radius=31)
        assert segmented.search_phash(value[:8], radius=10) == plain.search_phash(value[:8], radius=10)
        distances = plain.pdq_distances(variants, ["r0", "r3", "unknown"])
        assert distances == segmented.pdq_distances(variants, ["r0", "r3", "unknown"])
        assert list(distances) == ["r0"]


def test_a_segment_that_was_not_finished_is_no_segment(tmp_path: Path) -> None:
    table = filled(tmp_path, 2)
    table.adopt(table.snapshot(2).build())
    shutil.copytree(tmp_path / "segment-00000001", tmp_path / "segment-00000002.partial")
    again = SegmentedTable(tmp_path, bits=256, radius=31)
    assert (again.position, again.refused, [path.name for path in tmp_path.iterdir()]) == (2, [], ["segment-00000001"])
    again.adopt(again.snapshot(3).build())
    assert SegmentedTable(tmp_path, bits=256, radius=31).position == 3


def test_a_merge_that_ends_after_the_table_was_cleared_is_left_out(tmp_path: Path) -> None:
    table = filled(tmp_path, 2)
    snapshot = table.snapshot(2)
    table.clear()
    table.adopt(snapshot.build())
    assert len(table) == 0
    assert list(tmp_path.iterdir()) == []


def test_an_id_with_nul_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="NUL"):
        filled(tmp_path, 0).add("a\0b", VALUES[0])


def test_segments_are_opened_not_read(tmp_path: Path) -> None:
    table = filled(tmp_path, 3)
    merged = table.snapshot(0).build()
    assert Segment.open(merged.folder).names.tolist() == [b"r0", b"r1", b"r2"]
