"""Applying: records of many lanes in few requests to the own region, again and again until it has taken them."""

from collections.abc import Iterator, Sequence
from functools import partial

from services.replicator.io.port import ApplyMode, ApplyReply, OwnRegion
from services.replicator.link.backoff import BackOff
from services.replicator.work.patience import Chance, Patience
from shared.changes.batches import Delivery
from shared.limits import feed_reply_bytes_max
from shared.model.tables import RegionName

own_region_backoff = BackOff(first_s=0.05, max_s=1.0)


class Applier:
    """Hands records of one source to the own region. While that is away, it holds what it was given and no more."""

    def __init__(self, own: OwnRegion, source: RegionName, *, chance: Chance) -> None:
        self._own = own
        self._source = source
        self._patience = Patience(own_region_backoff, chance)

    @property
    def problem(self) -> str | None:
        return self._patience.problem

    async def apply(self, deliveries: Sequence[Delivery], *, mode: ApplyMode) -> Sequence[ApplyReply]:
        """The region's answers, in order. A refusal of the whole request is raised (`RequestRefusedError`)."""
        return [
            await self._patience.until_done(partial(self._own.apply, self._source, part, mode=mode))
            for part in _parts(deliveries)
        ]


def _parts(deliveries: Sequence[Delivery]) -> Iterator[Sequence[Delivery]]:
    """Cuts so that no request is larger than what a feed delivers at once."""
    part: list[Delivery] = []
    size_bytes = 0
    for delivery in deliveries:
        if part and size_bytes + len(delivery.record) > feed_reply_bytes_max:
            yield part
            part, size_bytes = [], 0
        part.append(delivery)
        size_bytes += len(delivery.record)
    if part:
        yield part
