"""Rounds: transactions that come together hold their partitions together, are committed together and done together.

A round holds the writers of all partitions that its members touch, so nobody else writes there. Its members decide one
after the other, each on what is committed and what those before it have decided. One COMMIT of the transaction log
commits them all; then each partition writes what was decided of it, and the writers are released. Rounds that are
under way have no partition in common, so none waits for another; who needs a partition of one waits for its end.
"""

import asyncio
from asyncio import Future
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from services.region.commands.transactions import ClientToken
from services.region.engine.transaction_completion import Completion, Held, stopping, unfinished
from services.region.engine.transaction_entries import Remains, as_decided, encode_changes
from services.region.engine.transaction_tally import TransactionTally
from services.region.engine.transaction_views import DecidedChange, Outcome, View
from services.region.storage.partitions import Partition
from services.region.storage.transaction_log import Entry, TransactionLog
from shared.changes.records import Lane
from shared.clock import Clock
from shared.errors import ServiceError
from shared.limits import transaction_round_bytes_max, transactions_per_round_max


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
        self._completion = Completion(self.tally)
        self._left: _Left | None = None

    def are_finished(self, lanes: Iterable[Lane]) -> bool:
        """Whether what is committed in these lanes shows all of each transaction that it shows anything of."""
        return self._completion.is_over(lanes)

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
            self._dismiss(self._waiting, stopping())
            self._waiting = []

    async def resume(self, remains: Remains, partitions: Mapping[Lane, Partition]) -> None:
        """At start: does what was left in these partitions; what fails is tried again by `run`."""
        held = Held(partitions)
        await held.wait()
        changes = {lane: [as_decided(change) for change in remains.changes[lane]] for lane in partitions}
        held.owing = set(changes)
        failed = await self._completion.write(held, changes)
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
            if not self._completion.stuck.isdisjoint(member.partitions):
                self._dismiss([member], member.conflict(self._completion.stuck))
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
        held = Held(partitions)
        try:
            await held.wait()
            await self._carry_out(members, await self._decide(members, partitions), held)
        except Exception as error:  # noqa: BLE001 - it is the answer to the members
            self._dismiss(members, error)
        finally:
            held.end()
            self._claimed -= held.lanes
            self._dismiss(members, stopping())
            self._arrived.set()

    async def _decide(self, members: list[Member], partitions: Mapping[Lane, Partition]) -> "_Decisions":
        """Those for whom the round has no room are taken out of `members` and wait for the next one."""
        now_us = self._clock.wall_us()
        view = View(partitions, region=self._region, now_us=now_us)
        decisions = _Decisions([], [], defaultdict(list))
        for position, member in enumerate(members):
            if view.decided_bytes > transaction_round_bytes_max:
                self._waiting[:0] = members[position:]
                del members[position:]
                break
            try:
                outcome = await member.decide(view)
            except Exception as error:  # noqa: BLE001 - it is the answer to this member alone
                decisions.outcomes.append(error)
                continue
            decisions.outcomes.append(outcome)
            view.take(outcome.changes)
            for change in outcome.changes:
                decisions.changes[change.place.lane].append(change)
            if outcome.changes or member.client_token is not None:
                changes = encode_changes(outcome.changes, now_us)
                decisions.entries.append(Entry(now_us, member.client_token, changes, outcome.read_units))
        return decisions

    async def _carry_out(self, members: Sequence[Member], decisions: "_Decisions", held: Held) -> None:
        outcomes, entries, changes = decisions
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
        failed = await self._completion.write(held, changes)
        self._answer(members, outcomes, failed)
        for lane in sorted(held.lanes - failed):
            held.release(lane)
            self._claimed.discard(lane)
        unwritten = sum(isinstance(each, Outcome) and _touches(each, failed) for each in outcomes)
        self._arrived.set()
        await self._completion.write_again(held, changes, failed, transactions=unwritten)
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
                    member.future.set_exception(unfinished())
            elif not member.future.done():
                member.future.set_result(outcome.answer)

    async def _finish_left(self, left: "_Left") -> None:
        try:
            await self._completion.write_again(
                left.held, left.changes, left.failed, transactions=len(left.remains.numbers)
            )
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


class _Decisions(NamedTuple):
    """Of a round: what each member decided, and of all of them what the log and each lane get."""

    outcomes: list[Outcome | Exception]
    entries: list[Entry]
    changes: dict[Lane, list[DecidedChange]]


class _Left(NamedTuple):
    held: Held
    changes: Mapping[Lane, Sequence[DecidedChange]]
    failed: set[Lane]
    remains: Remains


def _touches(outcome: Outcome, lanes: Collection[Lane]) -> bool:
    return any(change.place.lane in lanes for change in outcome.changes)
