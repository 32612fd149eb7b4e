"""A partition file's account of itself: how far its sequences are, what it holds, where it stands with other regions.

One row and a few short tables. `PartitionFile` stores the row with every transaction, so it is always that of what is
committed; whoever opens a file begins here.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import apsw

from services.region.rules.digests import digest_bytes
from services.region.storage import statements
from services.region.storage.connections import check_format
from services.region.storage.index_entries import FileIndex, create_index, load_indexes
from shared.feed.port import Position
from shared.limits import dead_letters_counted_max


class CopyState(StrEnum):
    """Whether a partition holds everything that its replica should."""

    COPYING = "COPYING"
    FOLLOWING = "FOLLOWING"
    NEEDS_RESYNC = "NEEDS_RESYNC"


@dataclass(slots=True)
class PartitionState:
    """The file's own account of itself; one row, written with every transaction."""

    sequence: int = 0
    origin_sequence: int = 0
    published_sequence: int = 0
    trimmed_sequence: int = 0  # changes up to here are no longer in the log
    item_count: int = 0
    size_bytes: int = 0
    digest: int = 0
    completeness: CopyState = CopyState.FOLLOWING
    head_us: int = 0  # commit time of the last change made here; 0: not known
    collected_timestamp: int = 0  # the highest of all tombstones that were collected here
    lost: frozenset[int] = frozenset()  # sources whose next changes can't be had any more; while NEEDS_RESYNC
    positions: dict[int, Position] = field(default_factory=dict)  # by source region number
    followers: dict[int, int] = field(default_factory=dict)  # by target region number: applied origin sequence
    dead_letters: Mapping[int, int] = field(default_factory=dict)  # by source region number: how many were put aside
    indexes: list[FileIndex] = field(default_factory=list)

    @property
    def head(self) -> Position:
        """The last change made here; sequence 0 before the first."""
        return Position(self.origin_sequence, commit_us=self.head_us)

    def copied(self) -> "PartitionState":
        return PartitionState(
            self.sequence,
            self.origin_sequence,
            self.published_sequence,
            self.trimmed_sequence,
            self.item_count,
            self.size_bytes,
            self.digest,
            self.completeness,
            self.head_us,
            self.collected_timestamp,
            self.lost,
            self.positions.copy(),
            self.followers.copy(),
            self.dead_letters,
            [each.copied() for each in self.indexes],
        )


def open_state(connection: apsw.Connection, path: Path, first_state: PartitionState) -> PartitionState:
    """The state of a file that is opened for writing; one that is not made yet is made with `first_state`."""
    if not is_made(connection, path):
        with connection:
            connection.execute(statements.create)
            connection.execute(
                statements.create_state,
                (
                    statements.format_number,
                    first_state.origin_sequence,
                    bytes(digest_bytes),
                    first_state.completeness,
                ),
            )
            connection.executemany(statements.write_follower, first_state.followers.items())
            for each in first_state.indexes:
                create_index(connection, each)
    return load_state(connection)


def is_made(connection: apsw.Connection, path: Path) -> bool:
    """Whether anything was ever committed to a file. Raises `OperatorError` for one of another format."""
    if connection.execute(statements.read_tables).get is None:
        return False
    check_format(path, found=connection.execute(statements.read_format).get, known=statements.format_number)
    return True


def load_state(connection: apsw.Connection) -> PartitionState:
    """The committed state of a partition file."""
    row = connection.execute(statements.read_state).get
    sequence, origin_sequence, published, trimmed, count, size, digest, completeness, head_us, collected = row
    return PartitionState(
        sequence=sequence,
        origin_sequence=origin_sequence,
        published_sequence=published,
        trimmed_sequence=trimmed,
        item_count=count,
        size_bytes=size,
        digest=int.from_bytes(digest),
        completeness=CopyState(completeness),
        head_us=head_us,
        collected_timestamp=collected,
        lost=frozenset(source for (source,) in connection.execute(statements.read_lost_sources)),
        positions={source: Position(*at) for source, *at in connection.execute(statements.read_positions)},
        followers=dict(connection.execute(statements.read_followers)),
        dead_letters=Counter(
            source
            for (source,) in connection.execute(statements.read_sources_of_dead_letters, (dead_letters_counted_max,))
        ),
        indexes=load_indexes(connection),
    )
