"""Who gets which partition: complete, even, and at rest once it is reached."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from shared.bus.embedded.log import Partition
from shared.bus.embedded.sharing import share

PARTITIONS = [Partition(i, "a" if i < 6 else "b", i % 6) for i in range(8)]
MEMBERS = st.sets(st.sampled_from("uvwxyz"), min_size=1).map(lambda names: {name: ["a", "b"] for name in names})
OWNERS = st.dictionaries(st.sampled_from(PARTITIONS), st.sampled_from("uvwxyz"))


@given(MEMBERS, OWNERS)
def test_every_partition_goes_to_a_member_and_none_has_two_more_than_another(
    members: dict[str, list[str]], owners: dict[Partition, str]
) -> None:
    wanted = share(PARTITIONS, members, owners)
    assert set(wanted) == set(PARTITIONS)
    for topic in ("a", "b"):
        counts = Counter(dict.fromkeys(members, 0))
        counts.update(owner for partition, owner in wanted.items() if partition.topic == topic)
        assert set(counts) == set(members)
        assert max(counts.values()) - min(counts.values()) <= 1


@given(MEMBERS, OWNERS)
def test_a_reached_share_stays(members: dict[str, list[str]], owners: dict[Partition, str]) -> None:
    wanted = share(PARTITIONS, members, owners)
    assert share(PARTITIONS, members, wanted) == wanted


def test_a_newcomer_takes_no_more_than_its_share() -> None:
    before = share(PARTITIONS, {"u": ["a"], "v": ["a"]}, {})
    after = share(PARTITIONS, {"u": ["a"], "v": ["a"], "w": ["a"]}, before)
    assert sum(before[partition] != after[partition] for partition in before) == 2


def test_single_partitions_are_spread_over_the_members() -> None:
    singles = [Partition(i, f"topic-{i}", 0) for i in range(4)]
    topics = [partition.topic for partition in singles]
    assert Counter(share(singles, {"u": topics, "v": topics}, {}).values()) == {"u": 2, "v": 2}


def test_a_topic_without_members_is_left_alone() -> None:
    assert share(PARTITIONS, {"u": ["b"]}, {}) == {PARTITIONS[6]: "u", PARTITIONS[7]: "u"}
