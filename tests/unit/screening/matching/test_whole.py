from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from services.screening.matching.whole import Hit, WholeIndex

HASHES = st.binary(min_size=32, max_size=32)


def flipped(value: bytes, bits: Sequence[int]) -> bytes:
    number = int.from_bytes(value, "little")
    for bit in bits:
        number ^= 1 << bit
    return number.to_bytes(len(value), "little")


def index_of(*pdqs: bytes) -> WholeIndex:
    index = WholeIndex()
    for number, pdq in enumerate(pdqs):
        index.add(f"r{number}", pdq=pdq, phash=pdq[:8])
    return index


@given(HASHES, st.lists(st.sets(st.integers(0, 255), max_size=64), max_size=20), st.integers(0, 64))
def test_every_reference_within_the_radius_is_found_with_its_distance(
    query: bytes, flips: list[set[int]], radius: int
) -> None:
    index = index_of(*(flipped(query, sorted(bits)) for bits in flips))
    found = {hit.reference_id: hit.distance for hit in index.search_pdq([("identity", query)], 100, radius=radius)}
    assert found == {f"r{number}": len(bits) for number, bits in enumerate(flips) if len(bits) <= radius}


def test_the_nearest_transform_is_reported_once() -> None:
    stored = bytes(32)
    variants = [("identity", flipped(stored, range(20))), ("mirrored", flipped(stored, range(3)))]
    assert index_of(stored).search_pdq(variants, 100, radius=31) == [Hit("r0", "pdq", 3, "mirrored")]


def test_a_picture_of_low_quality_is_not_searched() -> None:
    assert index_of(bytes(32)).search_pdq([("identity", bytes(32))], 49, radius=31) == []


def test_phash_within_its_radius() -> None:
    index = index_of(bytes(32), b"\xff" * 32)
    assert index.search_phash(b"\x0f" + bytes(7), radius=10) == [Hit("r0", "phash", 4)]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 7), HASHES), max_size=60))
def test_adds_and_removals_in_any_order_leave_what_a_dictionary_would(steps: list[tuple[bool, int, bytes]]) -> None:
    index, held = WholeIndex(), dict[str, bytes]()
    for adds, number, pdq in steps:
        name = f"r{number}"
        if adds:
            index.add(name, pdq=pdq)
            held[name] = pdq
        else:
            index.remove(name)
            held.pop(name, None)
    for name, pdq in held.items():
        assert name in {hit.reference_id for hit in index.search_pdq([("identity", pdq)], 100, radius=0)}
    everything = index.search_pdq([("identity", bytes(32))], 100, radius=256)
    assert {hit.reference_id for hit in everything} == set(held)
