"""Which streams the tables of this region have, or had within the last day, and where each begins and ends.

Follows the tables' definitions: a stream begins when a replica that serves has one enabled that is not known yet, and
ends when it is no longer the latest, or with the table. Its bounds are sequences of the change logs, so that every
write that was acknowledged before is outside and every later one inside, whatever the clock says.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from services.region.engine.registry import Table
from services.region.rules.streams import KeptStream, has_stream
from services.region.storage.catalog import LocalTable, Stage
from shared.clock import Clock
from shared.limits import stream_age_max_s
from shared.model.tables import Generation


class StreamRegister:
    """In memory; the catalog is what survives."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._streams: dict[Generation, dict[int, KeptStream]] = {}  # by the time of their beginning
        self._gone: dict[Generation, LocalTable] = {}

    @property
    def forgotten_before_us(self) -> int:
        """Nobody can read a stream that was disabled before this time."""
        return self._clock.wall_us() - stream_age_max_s * 1_000_000

    def readable(self) -> Sequence[KeptStream]:
        """By table; of one table the latest first."""
        streams = (stream for generation in list(self._streams) for stream in self._readable(generation))
        return sorted(streams, key=lambda stream: (stream.table, -stream.enabled_us))

    def named(self, table: str, label: str) -> KeptStream | None:
        of_table = (stream for known in self._streams.values() for stream in known.values() if stream.table == table)
        stream = next((each for each in of_table if each.label == label), None)
        return None if stream is None else self.of(stream.generation, stream.enabled_us)

    def of(self, generation: Generation, enabled_us: int) -> KeptStream | None:
        return next((each for each in self._readable(generation) if each.enabled_us == enabled_us), None)

    def gone(self, generation: Generation) -> LocalTable | None:
        """A table that is gone, whose log is kept for its streams."""
        return self._gone.get(generation)

    def no_longer_read(self) -> Sequence[LocalTable]:
        """The tables that are gone and have no stream any more."""
        return [table for generation, table in self._gone.items() if not self.are_readable(generation)]

    def are_readable(self, generation: Generation) -> bool:
        """Whether a table has, or has had, streams that can be read."""
        return any(self._readable(generation))

    def changed_by(self, table: Table) -> Sequence[KeptStream]:
        """The streams that begin or end with what the table has become; nothing is noted yet."""
        if table.stage not in (Stage.ACTIVE, Stage.GONE):
            return ()
        definition = table.definition
        wanted = definition.stream_since_us if has_stream(definition) and table.stage is Stage.ACTIVE else None
        known = self._streams.get(table.generation, {})
        changed = [
            replace(stream, disabled_us=self._clock.wall_us(), ended=_heads(table))
            for stream in known.values()
            if stream.disabled_us is None and stream.enabled_us != wanted
        ]
        if wanted is not None and wanted not in known:
            assert definition.stream is not None, "it is enabled"
            view_type = definition.stream.view_type or "NEW_AND_OLD_IMAGES"
            changed.append(KeptStream(table.generation, definition.name, view_type, wanted, _heads(table)))
        return changed

    def note(self, streams: Sequence[KeptStream]) -> None:
        for stream in streams:
            readable = {each.enabled_us: each for each in self._readable(stream.generation)}
            self._streams[stream.generation] = readable | {stream.enabled_us: stream}

    def keep(self, table: LocalTable) -> None:
        """A table that is gone."""
        self._gone[table.definition.generation] = table

    def forget(self, generation: Generation) -> None:
        """The table's change logs are gone, and its streams with them."""
        self._gone.pop(generation, None)
        self._streams.pop(generation, None)

    def _readable(self, generation: Generation) -> Iterator[KeptStream]:
        now_us = self._clock.wall_us()
        return (each for each in self._streams.get(generation, {}).values() if each.is_readable(now_us))


def _heads(table: Table) -> tuple[int, ...]:
    return tuple(partition.state.sequence for partition in table.partitions)
