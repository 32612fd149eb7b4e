"""Rounds: transactions that come together hold their partitions together, are committed together and done together.

A round holds the writers of all partitions that its members touch, so nobody else writes there. Its members decide one
after the other, each on what is committed and what those before it have decided. One COMMIT of the transaction log
commits them all; then each partition writes what was decided of it, and the writers are released. Rounds that are
under way have no partition in common, so none waits for another; who needs a partition of one waits for its end.

What is committed will be done. Where that fails, as on a full disk, the partition stays held until it has been done;
who wants to write there meanwhile is refused.
"""

import asyncio
from asyncio import Future
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import structlog

from services.region.commands.transactions import ClientToken
from services.region.engine.transaction_tally import TransactionTally
from services.region.rules.stored import StoredItem
from services.region.rules.transactions import is_done
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partitions import Partition
from services.region.storage.transaction_log import Entry, TransactionLog
from services.region.storage.writer import Hold
from shared.changes.batches import Delivery, decode_batch, encode_batch
from shared.changes.records import Change, Kind, Lane, decode_change, encode_change
from shared.clock import Clock
from shared.errors import ServiceError, ServiceUnavailableError
from shared.limits import transaction_retry_s, transaction_round_bytes_max, transactions_per_round_max
from shared.model.keys import ItemKey, slot_of
from shared.versions.versions import encode_seen, next_timestamp, with_entry

log = structlog.get_logger(__name__)

_work_per_turn = 32
_bytes_per_work = 8192


class Place(NamedTuple):
    """Where an item is."""

    lane: Lane
    key: ItemKey


class DecidedChange(NamedTuple):
    place: Place
    kind: Kind
    item: StoredItem


class Outcome(NamedTuple):
    """What a member decided: the answer to its request, and what is to be written."""

    answer: Any
    changes: Sequence[DecidedChange] = ()


class View:
    """Items as the members of a round see them: what is committed, and over it what earlier members have decided."""

    def __init__(self, partitions: Mapping[Lane, Partition], *, region: int, now_us: int) -> None:
        self._partitions = partitions
        self._region = region
        self._now_us = now_us
        self.decided_bytes = 0
        self._decided: dict[Place, StoredItem] = {}
        self._work = 0

    async def read(self, place: Place) -> StoredItem | None:
        """Gives way to other requests now and then."""
        if self._work > _work_per_turn:
            self._work = 0
            await asyncio.sleep(0)
        stored = self._decided.get(place) or self._partitions[place.lane].read(place.key)
        self._work += 1 if stored is None or stored.image is None else 1 + len(stored.image) // _bytes_per_work
        return stored

    def change(self, place: Place, stored: StoredItem | None, *, kind: Kind, image: bytes | None) -> DecidedChange:
        """A change over what was read, with its version."""
        collected = self._partitions[place.lane].state.collected_timestamp
        timestamp = next_timestamp(self._now_us, collected if stored is None else stored.timestamp)
        seen = with_entry(b"" if stored is None else stored.seen, self._region, timestamp)
        return DecidedChange(place, kind, StoredItem(timestamp, self._region, seen, image))

    def take(self, changes: Iterable[DecidedChange]) -> None:
        for place, _, item in changes:
            self._decided[place] = item
            self.decided_bytes += len(item.image or b"")


class Member(Protocol):
    """A transaction that is part of a round; `future` gets its answer."""

    @property
    def partitions(self) -> Mapping[Lane, Partition]: ...

    @property
    def client_token(self) -> ClientToken | None: ...

    @property
    def future(self) -> Future[Any]: ...

    @property
    def done_as(self) -> str:
        """How it is counted unless it is cancelled."""
        ...

    async def decide(self, view: View) -> Outcome:
        """Raises a `ServiceError` when it is cancelled."""
        ...

    def conflict(self, lanes: Collection[Lane]) -> ServiceError:
        """What it is refused with while these lanes have something left to be done."""
        ...


class Remains(NamedTuple):
    """What an earlier life of the process has committed and perhaps not done, by its entries' numbers and by lane."""

    numbers: Sequence[int]
    client_tokens: Sequence[ClientToken]
    changes: Mapping[Lane, Sequence[Change]]


class Rounds:
    """`tokens` are those of members that wait or whose round is not over, with the digests of their parameters."""

    def __init__(self, transaction_log: TransactionLog, *, region: int, clock: Clock) -> None:
        self.tally = TransactionTally()
        self.tokens: dict[str, bytes] = {}
        self._log = transaction_log
        self._region = region
        self._clock = clock
        self._waiting: list[Member] = []
        self._arrived = asyncio.Event()
        self._claimed: set[Lane] = set()  # by rounds that are under way
        self._unfinished: set[Lane] = set()  # written to by some transaction that is not done everywhere
        self._stuck: set[Lane] = set()  # of them, those in which writing has failed
        self._left: _Left | None = None

    def are_finished(self, lanes: Iterable[Lane]) -> bool:
        """Whether what is committed in these lanes shows all of each transaction that it shows anything of."""
        return self._unfinished.isdisjoint(lanes)

    def join(self, member: Member) -> Future[Any]:
        if member.client_token is not None:
            self.tokens[member.client_token.token] = member.client_token.parameters
        self._waiting.append(member)
        self._arrived.set()
        return member.future

    async def run(self) -> None:
        """Goes on until it is cancelled; what is committed by then and not done is left to the next start."""
        try:
            async with asyncio.TaskGroup() as tasks:
                if self._left is not None:
                    tasks.create_task(self._finish_left(self._left), name="unfinished transactions")
                while True:
                    await self._arrived.wait()
                    self._arrived.clear()
                    if members := self._startable():
                        tasks.create_task(self._round(members), name="transactions")
        finally:
            self._dismiss(self._waiting, _stopping())
            self._waiting = []

    async def resume(self, remains: Remains, partitions: Mapping[Lane, Partition]) -> None:
        """At start: does what was left in these partitions; what fails is tried again by `run`."""
        held = _Held(partitions)
        await held.wait()
        changes = {lane: [_decided(change) for change in remains.changes[lane]] for lane in partitions}
        held.owing = set(changes)
        failed = await self._do(held, changes)
        for lane in sorted(changes.keys() - failed):
            held.release(lane)
        if failed:
            self._claimed |= failed
            self.tokens.update(remains.client_tokens)
            self._left = _Left(held, changes, failed, remains)
        else:
            self._log.finish(remains.numbers)

    def _startable(self) -> list[Member]:
        """Those who need no partition of a round under way, nor one for which somebody has waited for longer."""
        members: list[Member] = []
        still_waiting: list[Member] = []
        lanes: set[Lane] = set()
        blocked = set(self._claimed)
        for member in self._waiting:
            if not self._stuck.isdisjoint(member.partitions):
                self._dismiss([member], member.conflict(self._stuck))
            elif len(members) < transactions_per_round_max and blocked.isdisjoint(member.partitions):
                members.append(member)
                lanes |= member.partitions.keys()
            else:
                still_waiting.append(member)
                blocked |= member.partitions.keys()
        self._waiting = still_waiting
        self._claimed |= lanes
        return members

    async def _round(self, members: list[Member]) -> None:
        partitions = {lane: each for member in members for lane, each in member.partitions.items()}
        held = _Held(partitions)
        try:
            await held.wait()
            await self._decide(members, partitions, held)
        except Exception as error:  # noqa: BLE001 - it is the answer to the members
            self._dismiss(members, error)
        finally:
            held.end()
            self._claimed -= held.lanes
            self._dismiss(members, _stopping())
            self._arrived.set()

    async def _decide(self, members: list[Member], partitions: Mapping[Lane, Partition], held: "_Held") -> None:
        """Those for whom the round has no room are taken out of `members` and wait for the next one."""
        now_us = self._clock.wall_us()
        view = View(partitions, region=self._region, now_us=now_us)
        outcomes: list[Outcome | Exception] = []
        entries = []
        changes: dict[Lane, list[DecidedChange]] = defaultdict(list)
        for position, member in enumerate(members):
            if view.decided_bytes > transaction_round_bytes_max:
                self._waiting[:0] = members[position:]
                del members[position:]
                break
            try:
                outcome = await member.decide(view)
            except Exception as error:  # noqa: BLE001 - it is the answer to this member alone
                outcomes.append(error)
                continue
            outcomes.append(outcome)
            view.take(outcome.changes)
            for change in outcome.changes:
                changes[change.place.lane].append(change)
            if outcome.changes or member.client_token is not None:
                entries.append(Entry(now_us, member.client_token, _encoded(outcome.changes, now_us)))
        numbers: Sequence[int] = ()
        if entries:
            held.owing = set(changes)
            numbers, committed = self._log.append(entries)
            try:
                await committed
            except ServiceError as error:
                held.owing = set()
                self._dismiss(members, error)
                return
        self._count(members, outcomes)
        failed = await self._do(held, changes)
        self._answer(members, outcomes, failed)
        for lane in sorted(held.lanes - failed):
            held.release(lane)
            self._claimed.discard(lane)
        unwritten = sum(isinstance(each, Outcome) and _touches(each, failed) for each in outcomes)
        await self._finish(held, changes, failed, transactions=unwritten)
        self._log.finish(numbers)

    def _count(self, members: Sequence[Member], outcomes: Sequence[Outcome | Exception]) -> None:
        self.tally.round_members.observe(len(members))
        for member, outcome in zip(members, outcomes, strict=True):
            if isinstance(outcome, Outcome):
                self.tally.outcomes[member.done_as] += 1

    def _answer(
        self, members: Sequence[Member], outcomes: Sequence[Outcome | Exception], failed: Collection[Lane]
    ) -> None:
        for member, outcome in zip(members, outcomes, strict=True):
            if isinstance(outcome, Exception):
                self._dismiss([member], outcome)
            elif _touches(outcome, failed):
                if not member.future.done():
                    member.future.set_exception(_unfinished())
            elif not member.future.done():
                member.future.set_result(outcome.answer)

    async def _do(self, held: "_Held", changes: Mapping[Lane, Sequence[DecidedChange]]) -> set[Lane]:
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

    async def _finish(
        self,
        held: "_Held",
        changes: Mapping[Lane, Sequence[DecidedChange]],
        failed: Collection[Lane],
        *,
        transactions: int,
    ) -> None:
        """Tries again until all is done; `transactions` is how many wait for that."""
        self.tally.unwritten += transactions
        self._stuck |= set(failed)
        self._arrived.set()
        try:
            while failed:
                for lane in sorted(failed):
                    held.holds[lane].refuse_waiting(_unfinished())
                await asyncio.sleep(transaction_retry_s)
                failed = await self._do(held, {lane: changes[lane] for lane in sorted(failed)})
        finally:
            self.tally.unwritten -= transactions
            self._stuck -= changes.keys()
        self._unfinished -= changes.keys()

    async def _finish_left(self, left: "_Left") -> None:
        try:
            await self._finish(left.held, left.changes, left.failed, transactions=len(left.remains.numbers))
            self._log.finish(left.remains.numbers)
        finally:
            left.held.end()
            self._claimed -= left.failed
            for token, _ in left.remains.client_tokens:
                self.tokens.pop(token, None)
            self._arrived.set()

    def _dismiss(self, members: Iterable[Member], error: Exception) -> None:
        """Answers with an error, where there is no answer yet, and forgets the tokens."""
        for member in members:
            if not member.future.done():
                member.future.set_exception(error)
            if member.client_token is not None:
                self.tokens.pop(member.client_token.token, None)


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


class _Held:
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
                asked.result().abandon(_stopping())
            else:
                asked.result().release()


class _Left(NamedTuple):
    held: _Held
    changes: Mapping[Lane, Sequence[DecidedChange]]
    failed: set[Lane]
    remains: Remains


def _touches(outcome: Outcome, lanes: Collection[Lane]) -> bool:
    return any(change.place.lane in lanes for change in outcome.changes)


def _encoded(changes: Sequence[DecidedChange], now_us: int) -> bytes:
    """As the log keeps them; a record's origin sequence is given only when it is written."""
    if not changes:
        return b""
    return encode_batch(
        {},
        [
            Delivery(
                lane,
                0,
                encode_change(
                    kind,
                    lane,
                    version=item.version,
                    origin_sequence=0,
                    seen=item.seen,
                    commit_us=now_us,
                    partition_key=key.partition,
                    sort_key=key.sort,
                    image=item.image,
                ),
            )
            for (lane, key), kind, item in changes
        ],
    )


def changes_of(entry: bytes) -> Sequence[Change]:
    """What an entry of the log has decided."""
    return [decode_change(delivery.record) for delivery in decode_batch(entry).deliveries]


def _decided(change: Change) -> DecidedChange:
    key = ItemKey(slot_of(change.partition_key), change.partition_key, change.sort_key)
    return DecidedChange(
        Place(change.lane, key), change.kind, StoredItem(*change.version, encode_seen(change.seen), change.image)
    )


def _stopping() -> ServiceError:
    return ServiceUnavailableError("This region is stopping")


def _unfinished() -> ServiceError:
    return ServiceUnavailableError(
        "A transaction is committed and will be finished once the storage takes writes again"
    )
