"""TransactWriteItems and TransactGetItems: what is checked of a transaction before it joins a round, and its answer.

A read takes no part in a round as long as nothing of what it reads is being written by one: then what is committed,
read within one turn of the event loop, shows all or nothing of every transaction.
"""

from collections import defaultdict

from services.region.commands.items import ReturnConsumedCapacity
from services.region.commands.transactions import (
    ClientToken,
    TransactGet,
    TransactionRead,
    TransactionWritten,
    TransactWrite,
)
from services.region.engine.registry import Registry
from services.region.engine.transaction_entries import Remains, decode_changes
from services.region.engine.transaction_members import ReadMember, WriteMember, answer_of
from services.region.engine.transaction_rounds import Rounds
from services.region.engine.transaction_tally import cancelled, read
from services.region.engine.transaction_targets import targets_of_read, targets_of_write
from services.region.storage.partitions import Partition
from services.region.storage.transaction_log import Known, TransactionLog
from shared.changes.records import Change, Lane
from shared.clock import Clock
from shared.errors import IdempotentParameterMismatchError, TransactionCanceledError, TransactionInProgressError


class Transactions:
    def __init__(self, registry: Registry, rounds: Rounds, *, transaction_log: TransactionLog, clock: Clock) -> None:
        self._registry = registry
        self._rounds = rounds
        self._tally = rounds.tally
        self._log = transaction_log
        self._clock = clock

    async def write(self, command: TransactWrite) -> TransactionWritten:
        """Does all actions or none; raises `TransactionCanceledError` with a reason for each."""
        try:
            return await self._write(command)
        except TransactionCanceledError:
            self._tally.outcomes[cancelled] += 1
            raise

    async def read(self, command: TransactGet) -> TransactionRead:
        """Items that all show the same moment; they may have 4 MB together."""
        try:
            return await self._read(command)
        except TransactionCanceledError:
            self._tally.outcomes[cancelled] += 1
            raise

    async def recover(self) -> None:
        """At start, before anything is read or written: does what was committed and perhaps not done."""
        numbers: list[int] = []
        client_tokens: list[ClientToken] = []
        changes: dict[Lane, list[Change]] = defaultdict(list)
        partitions: dict[Lane, Partition] = {}
        for number, client_token, entry in self._log.unfinished():
            numbers.append(number)
            if client_token is not None:
                client_tokens.append(client_token)
            for change in decode_changes(entry):
                table = self._registry.of(change.lane.generation)
                if table is not None:  # otherwise it was deleted, and its items with it
                    partitions[change.lane] = table.partitions[change.lane.partition]
                    changes[change.lane].append(change)
        if numbers:
            await self._rounds.resume(Remains(numbers, client_tokens, changes), partitions)

    async def tidy(self) -> None:
        """A turn of work on the log: what is done and what has expired is dropped from it."""
        await self._log.tidy(now_us=self._clock.wall_us())

    async def _write(self, command: TransactWrite) -> TransactionWritten:
        tables = [self._registry.serving(action.table) for action in command.actions]
        targets = targets_of_write(tables, command.actions)
        if command.client_token is not None and (known := self._done_with(command.client_token)) is not None:
            return _done_before(command, known)
        written: TransactionWritten = await self._rounds.join(WriteMember(self._registry, command, targets))
        return written

    async def _read(self, command: TransactGet) -> TransactionRead:
        tables = [self._registry.serving(get.table) for get in command.gets]
        targets = targets_of_read(tables, command.gets)
        if self._rounds.are_finished(target.place.lane for target in targets):
            answer = answer_of(command, (target.partition.read(target.place.key) for target in targets))
            self._tally.outcomes[read] += 1
            return answer
        answered: TransactionRead = await self._rounds.join(ReadMember(command, targets))
        return answered

    def _done_with(self, client_token: ClientToken) -> Known | None:
        """What is known of a request of the same token that was done; raises if it differs from this or goes on."""
        token, parameters = client_token
        in_progress = self._rounds.tokens.get(token)
        known = None if in_progress is not None else self._log.known(token, now_us=self._clock.wall_us())
        first = in_progress if known is None else known.parameters
        if first is not None and first != parameters:
            raise IdempotentParameterMismatchError
        if in_progress is not None:
            raise TransactionInProgressError
        return known


def _done_before(command: TransactWrite, known: Known) -> TransactionWritten:
    """Nothing is done again; what is told to be consumed is that of reading what the first request found and made."""
    units: dict[str, float] = defaultdict(float)
    if command.return_consumed_capacity is not ReturnConsumedCapacity.NONE:
        for action, read_units in zip(command.actions, known.read_units, strict=False):  # none of older versions
            units[action.table] += read_units
    return TransactionWritten(units, was_done=True)
