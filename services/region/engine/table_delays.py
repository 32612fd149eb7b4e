"""Shows changes of tables as under way for a while although they are done, for clients that wait for states.

Only what is shown waits: nothing here survives a restart, and without a delay nothing is kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from services.region.commands.tables import TableDescription
from shared.clock import Clock
from shared.model.tables import Generation


@dataclass(frozen=True, slots=True)
class _Deletion:
    description: TableDescription
    ends_s: float


class TableDelays:
    def __init__(self, clock: Clock, delay_s: float) -> None:
        self.delay_s = delay_s
        self._clock = clock
        self._updates: dict[Generation, float] = {}
        self._deletions: dict[str, _Deletion] = {}

    def note_update(self, generation: Generation) -> None:
        if self.delay_s:
            self._updates[generation] = self._clock.monotonic_s() + self.delay_s

    def is_updating(self, generation: Generation) -> bool:
        ends_s = self._updates.get(generation)
        if ends_s is None or self._clock.monotonic_s() < ends_s:
            return ends_s is not None
        del self._updates[generation]
        return False

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
