"""Which streams the tables of this region have, or had within the last day, and where each begins and ends.

Follows the tables' definitions: a stream begins when a replica that serves has one enabled that is not known yet, and
ends when it is no longer the latest, or with the table. Its bounds are sequences of the change logs, so that every
write that was acknowledged before is outside and every later one inside, whatever the clock says.
"""

from collections.abc import Sequence
from dataclasses import replace

from services.region.engine.registry import Table
from services.region.rules.streams import KeptStream, has_stream
from services.region.storage.catalog import Stage
from shared.clock import Clock
from shared.limits import stream_age_max_s
from shared.model.tables import Generation


class StreamRegister:
    """In memory; the catalog is what survives."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._streams: dict[tuple[Generation, int], KeptStream] = {}
        self._gone: dict[Generation, Table] = {}

    @property
    def forgotten_before_us(self) -> int:
        """Nobody can read a stream that was disabled before this time."""
        return self._clock.wall_us() - stream_age_max_s * 1_000_000

    def readable(self) -> Sequence[KeptStream]:
        """By table; of one table the latest first."""
        now_us = self._clock.wall_us()
        streams = [stream for stream in self._streams.values() if stream.is_readable(now_us)]
        return sorted(streams, key=lambda stream: (stream.table, -stream.enabled_us))

    def named(self, table: str, label: str) -> KeptStream | None:
        return next((each for each in self.readable() if (each.table, each.label) == (table, label)), None)

    def of(self, generation: Generation, enabled_us: int) -> KeptStream | None:
        stream = self._streams.get((generation, enabled_us))
        return stream if stream is not None and stream.is_readable(self._clock.wall_us()) else None

    def gone(self, generation: Generation) -> Table | None:
        """A table that is gone, whose log is kept for its streams."""
        return self._gone.get(generation)

    def no_longer_read(self) -> Sequence[Table]:
        """The tables that are gone and have no stream any more."""
        return [table for table in self._gone.values() if not self.are_readable(table.generation)]

    def are_readable(self, generation: Generation) -> bool:
        """Whether a table has, or has had, streams that can be read."""
        return any(stream.generation == generation for stream in self.readable())

    def changed_by(self, table: Table) -> Sequence[KeptStream]:
        """The streams that begin or end with what the table has become; nothing is noted yet."""
        if table.stage not in (Stage.ACTIVE, Stage.GONE):
            return ()
        definition = table.definition
        wanted = definition.stream_since_us if has_stream(definition) and table.stage is Stage.ACTIVE else None
        known = [stream for stream in self._streams.values() if stream.generation == table.generation]
        changed = [
            replace(stream, disabled_us=self._clock.wall_us(), ended=_heads(table))
            for stream in known
            if stream.disabled_us is None and stream.enabled_us != wanted
        ]
        if wanted is not None and all(stream.enabled_us != wanted for stream in known):
            assert definition.stream is not None, "it is enabled"
            view_type = definition.stream.view_type or "NEW_AND_OLD_IMAGES"
            changed.append(KeptStream(table.generation, definition.name, view_type, wanted, _heads(table)))
        return changed

    def note(self, streams: Sequence[KeptStream]) -> None:
        kept = {(stream.generation, stream.enabled_us): stream for stream in (*self._streams.values(), *streams)}
        now_us = self._clock.wall_us()
        self._streams = {key: stream for key, stream in kept.items() if stream.is_readable(now_us)}

    def keep(self, table: Table) -> None:
        """A table that is gone."""
        self._gone[table.generation] = table

    def forget(self, generation: Generation) -> None:
        """The table's change logs are gone, and its streams with them."""
        self._gone.pop(generation, None)
        self._streams = {key: stream for key, stream in self._streams.items() if stream.generation != generation}


def _heads(table: Table) -> tuple[int, ...]:
    return tuple(partition.state.sequence for partition in table.partitions)
