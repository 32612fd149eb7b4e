"""What transactions have committed will be done: it is written in all partitions at once, and again until it is there.

A partition in which that fails, as on a full disk, stays held meanwhile; who wants to write there is refused. Where the
process ends before, nobody writes any more, and the next start finds in the log what is left.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence

import structlog

from services.region.engine.transaction_tally import TransactionTally
from services.region.engine.transaction_views import DecidedChange
from services.region.rules.transactions import is_done
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partitions import Partition
from services.region.storage.writer import Hold
from shared.changes.records import Lane
from shared.errors import ServiceError, ServiceUnavailableError
from shared.limits import transaction_retry_s

log = structlog.get_logger(__name__)


class Completion:
    """`stuck` are the lanes in which writing has failed and is tried again."""

    def __init__(self, tally: TransactionTally) -> None:
        self.stuck: set[Lane] = set()
        self._tally = tally
        self._unfinished: set[Lane] = set()  # written to by some transaction that is not done everywhere

    def is_over(self, lanes: Iterable[Lane]) -> bool:
        """Whether no transaction that is committed has something left to be done in these lanes."""
        return self._unfinished.isdisjoint(lanes)

    async def write(self, held: "Held", changes: Mapping[Lane, Sequence[DecidedChange]]) -> set[Lane]:
        """Writes what is committed, in all lanes at once; the lanes in which that failed."""
        self._unfinished |= changes.keys()
        outcomes = await asyncio.gather(
            *(held.holds[lane].submit(WriteDecided(decided)) for lane, decided in changes.items()),
            return_exceptions=True,
        )
        failed = set()
        for lane, outcome in zip(changes, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                log.error("what a transaction has decided can't be written yet", lane=lane, reason=str(outcome))
                failed.add(lane)
            else:
                held.owing.discard(lane)
        if not failed:
            self._unfinished -= changes.keys()
        return failed

    async def write_again(
        self,
        held: "Held",
        changes: Mapping[Lane, Sequence[DecidedChange]],
        failed: Collection[Lane],
        *,
        transactions: int,
    ) -> None:
        """Tries again until all is done; `transactions` is how many wait for that."""
        self._tally.unwritten += transactions
        self.stuck |= set(failed)
        try:
            while failed:
                for lane in sorted(failed):
                    held.holds[lane].refuse_waiting(unfinished())
                await asyncio.sleep(transaction_retry_s)
                failed = await self.write(held, {lane: changes[lane] for lane in sorted(failed)})
        finally:
            self._tally.unwritten -= transactions
            self.stuck -= changes.keys()
        self._unfinished -= changes.keys()


class Held:
    """The holds of a round; where it owes something that is committed, nobody may write before that is done."""

    def __init__(self, partitions: Mapping[Lane, Partition]) -> None:
        self.lanes = set(partitions)
        self.owing: set[Lane] = set()
        self.holds: dict[Lane, Hold] = {}
        self._asked = {lane: partitions[lane].hold() for lane in sorted(partitions)}

    async def wait(self) -> None:
        for lane, asked in self._asked.items():
            self.holds[lane] = await asked

    def release(self, lane: Lane) -> None:
        self.lanes.discard(lane)
        del self._asked[lane]
        self.holds.pop(lane).release()

    def end(self) -> None:
        for lane, asked in self._asked.items():
            if asked.cancel() or asked.cancelled() or asked.exception() is not None:
                continue
            if lane in self.owing:
                asked.result().abandon(stopping())
            else:
                asked.result().release()


class WriteDecided:
    """Job: writes changes with their decided versions; those that are there already are passed over."""

    __slots__ = ("_changes",)

    def __init__(self, changes: Sequence[DecidedChange]) -> None:
        self._changes = changes

    def run(self, file: PartitionFile, now_us: int) -> None:
        for (_, key), kind, item in self._changes:
            stored = file.read(key)
            if not is_done(item.version, stored, collected_timestamp=file.state.collected_timestamp):
                file.write_decided(key, stored, kind=kind, image=item.image, timestamp=item.timestamp, now_us=now_us)


def stopping() -> ServiceError:
    return ServiceUnavailableError("This region is stopping")


def unfinished() -> ServiceError:
    return ServiceUnavailableError(
        "A transaction is committed and will be finished once the storage takes writes again"
    )
