"""Which member of a group gets which partition. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping

from shared.bus.embedded.log import Partition


def share(
    partitions: Collection[Partition], members: Mapping[str, Collection[str]], owners: Mapping[Partition, str]
) -> dict[Partition, str]:
    """Evenly per topic among the members that subscribe to it, moving as few partitions as possible.

    `members` maps a member to its topics. The same answer on every member, so that all move towards it together.
    """
    wanted: dict[Partition, str] = {}
    load: Counter[str] = Counter()
    for topic in sorted({partition.topic for partition in partitions}):
        of_topic = sorted((p for p in partitions if p.topic == topic), key=lambda p: p.number)
        eligible = [member for member, topics in members.items() if topic in topics]
        if eligible:
            shared = _share_topic(of_topic, eligible, owners, load)
            wanted |= shared
            load.update(shared.values())
    return wanted


def _share_topic(
    partitions: list[Partition], members: list[str], owners: Mapping[Partition, str], load: Counter[str]
) -> dict[Partition, str]:
    held = Counter(owners[p] for p in partitions if p in owners)
    ranked = sorted(members, key=lambda member: (-held[member], load[member], member))
    room = {member: _quota(len(partitions), len(ranked), rank) for rank, member in enumerate(ranked)}
    wanted: dict[Partition, str] = {}
    for partition in partitions:
        owner = owners.get(partition, "")
        if room.get(owner, 0):
            room[owner] -= 1
            wanted[partition] = owner
    free = [member for member in ranked for _ in range(room[member])]
    return wanted | dict(zip((p for p in partitions if p not in wanted), free, strict=True))


def _quota(partitions: int, members: int, rank: int) -> int:
    return partitions // members + (rank < partitions % members)
