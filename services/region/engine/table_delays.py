"""Shows changes of tables as under way for a while although they are done, for clients that wait for states.

Only what is shown waits: nothing here survives a restart, and without a delay nothing is kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from services.region.commands.indexes import IndexDescription
from services.region.commands.tables import TableDescription
from shared.clock import Clock
from shared.model.tables import Generation


@dataclass(frozen=True, slots=True)
class _Update:
    ends_s: float
    indexes: Sequence[IndexDescription] = ()


@dataclass(frozen=True, slots=True)
class _Deletion:
    description: TableDescription
    ends_s: float


class TableDelays:
    def __init__(self, clock: Clock, delay_s: float) -> None:
        self.delay_s = delay_s
        self._clock = clock
        self._updates: dict[Generation, _Update] = {}
        self._deletions: dict[str, _Deletion] = {}

    def note_update(self, generation: Generation) -> None:
        if self.delay_s:
            self._updates[generation] = _Update(self._clock.monotonic_s() + self.delay_s)

    def note_indexes(self, generation: Generation, indexes: Sequence[IndexDescription]) -> None:
        """What the answer to an update that changes indexes has said of them."""
        if generation in self._updates:
            self._updates[generation] = replace(self._updates[generation], indexes=indexes)

    def is_updating(self, generation: Generation) -> bool:
        update = self._updates.get(generation)
        if update is None or self._clock.monotonic_s() < update.ends_s:
            return update is not None
        del self._updates[generation]
        return False

    def shown(self, generation: Generation, indexes: Sequence[IndexDescription]) -> Sequence[IndexDescription]:
        """No index is ACTIVE or gone before its table is ACTIVE: who has waited for an index changes the next one."""
        if not self.is_updating(generation):
            return indexes
        return self._updates[generation].indexes or indexes

    def note_deletion(self, description: TableDescription) -> None:
        if self.delay_s:
            ends_s = self._clock.monotonic_s() + self.delay_s
            self._deletions[description.definition.name] = _Deletion(description, ends_s)

    def being_deleted(self, name: str) -> TableDescription | None:
        """What DescribeTable says of a table that is gone."""
        deletion = self._deletions.get(name)
        if deletion is None:
            return None
        if self._clock.monotonic_s() < deletion.ends_s:
            return deletion.description
        del self._deletions[name]
        return None

    def names_being_deleted(self) -> Iterable[str]:
        return [name for name in list(self._deletions) if self.being_deleted(name) is not None]
