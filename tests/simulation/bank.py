"""A bank: money moves between accounts by transactions in a region that dies at any moment.

Each transfer takes from one account, gives to others and leaves a receipt, in two tables of three partitions each,
under a token with which it is asked for until it is answered. Others count on the same accounts by plain updates, and
auditors read all accounts at once. At every moment the money is all there, and at the end every account holds exactly
what the receipts say: no transfer is done by half, twice, or not although it was acknowledged.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from services.region.commands.items import GetItem, Guard, PutItem, UpdateItem
from services.region.commands.transactions import (
    Action,
    ClientToken,
    TransactGet,
    TransactWrite,
    parameters_bytes,
)
from services.region.engine.items import Items
from services.region.engine.registry import Registry, Table
from services.region.engine.transaction_rounds import Rounds
from services.region.engine.transactions import Transactions
from services.region.expressions.conditions import bind_condition
from services.region.expressions.substitutions import Substitutions
from services.region.expressions.updates import Update, bind_update
from services.region.rules.arns import Arns
from services.region.storage.catalog import LocalTable, Stage
from services.region.storage.partition_state import PartitionState
from shared.changes.records import Lane
from shared.errors import (
    ServiceUnavailableError,
    TransactionCanceledError,
    TransactionInProgressError,
)
from shared.model.keys import KeyAttribute, KeySchema
from shared.model.tables import Generation, RegionName, TableDefinition
from shared.model.values import Item, decode_item
from tests.simulation.clocks import Calendar, SimulatedClock
from tests.simulation.disk import Disk, SimulatedPartitions, SimulatedTransactionLog
from tests.simulation.ledger import Ledger, Violation
from tests.simulation.processes import Process
from tests.simulation.world import Note, in_virtual_time, wind_up

accounts = tuple(f"account {number}" for number in range(8))
opening_balance = 100
partition_count = 3
points = ("before a commit", "after a commit")
down_s_max = 0.5
look_s = 0.05
patience_s = 60.0

Answer = TypeVar("Answer")


class AnswerLostError(Exception):
    """The region has died over a request; whether it did what it was asked is not known."""


@dataclass(slots=True)
class Tally:
    """What a run went through: one in which nothing happened proves nothing."""

    transfers: int = 0
    cancelled: int = 0
    repeated: int = 0  # asked for again because the answer was lost
    counted: int = 0
    audits: int = 0
    deaths: int = 0
    full_disks: int = 0


@dataclass(frozen=True, slots=True)
class Service:
    items: Items
    transactions: Transactions


class Bank:
    def __init__(self, seed: int, *, note: Note) -> None:
        loop = asyncio.get_running_loop()
        self.tally = Tally()
        self._chance = Random(f"{seed} bank")
        self._loop = loop
        self._notes = note
        self._violation: asyncio.Future[None] = loop.create_future()
        self._disk = Disk("home", 1, ledger=Ledger(), broken=self._break, note=self._note)
        self._clock = SimulatedClock(Calendar(), error_us=0)
        self._process: Process | None = None
        self._service: Service | None = None
        self._people = Process("people", failed=self._failed)
        self._armed: str | None = None
        self._numbers = itertools.count(1)
        self._acknowledged: list[str] = []
        self._counted: Counter[str] = Counter()
        self._asked: Counter[str] = Counter()

    def _note(self, what: object) -> None:
        self._notes(self._loop.time(), what)

    async def run(self, *, storm_s: float) -> Tally:
        """Raises `Violation`, of whoever notices first."""
        story = self._people.spawn(self._run(storm_s))
        await asyncio.wait((story, self._violation), return_when=asyncio.FIRST_COMPLETED)
        if self._violation.done():
            self._violation.result()
        return story.result()

    def close(self) -> None:
        self._people.kill()
        if self._process is not None:
            self._process.kill()
        self._disk.close()

    async def _run(self, storm_s: float) -> Tally:
        self._start()
        await self._until_answered(lambda service: service.transactions.write(_opening()))
        people = [self._people.spawn(work) for work in (self._transfer(), self._transfer(), self._transfer())]
        people += [self._people.spawn(self._count()), self._people.spawn(self._audit())]
        storm = self._people.spawn(self._rage())
        await asyncio.sleep(storm_s)
        storm.cancel()
        self._disk.is_full, self._armed = False, None
        self._closing = True
        await asyncio.wait_for(asyncio.gather(*people), patience_s)
        await self._audit_once()
        self._balance()
        return self.tally

    # What people do

    _closing = False

    async def _transfer(self) -> None:
        while not self._closing:
            await asyncio.sleep(self._chance.expovariate(1 / 0.01))
            number = next(self._numbers)
            payer, *payees = self._chance.sample(accounts, self._chance.choice((2, 2, 3)))
            amount = self._chance.randint(1, 30)
            command = _transfer(number, payer, payees, amount)
            try:
                await self._until_answered(_asking(command))
            except TransactionCanceledError as error:
                if error.reasons[0].code != "ConditionalCheckFailed":
                    raise Violation(f"transfer {number} was cancelled: {error}") from error
                self.tally.cancelled += 1
            else:
                self.tally.transfers += 1
                self._acknowledged.append(f"receipt {number}")

    async def _count(self) -> None:
        """Plain updates of the accounts: each is counted, whatever transactions do beside it."""
        while not self._closing:
            await asyncio.sleep(self._chance.expovariate(1 / 0.005))
            name = self._chance.choice(accounts)
            self._asked[name] += 1
            with suppress(ServiceUnavailableError, AnswerLostError):
                await self._ask(_counting(name))
                self._counted[name] += 1
                self.tally.counted += 1

    async def _audit(self) -> None:
        while not self._closing:
            await asyncio.sleep(self._chance.expovariate(1 / 0.004))
            await self._audit_once()

    async def _audit_once(self) -> None:
        read = await self._until_answered(lambda service: service.transactions.read(_all_accounts()))
        held = [int(decode_item(image)["balance"]["N"]) for image in read.images if image is not None]
        self.tally.audits += 1
        if sum(held) != opening_balance * len(accounts):
            raise Violation(f"the accounts hold {held}, which is {sum(held)} together")

    async def _until_answered(self, ask: Callable[[Service], Awaitable[Answer]]) -> Answer:
        """Asks again as long as the answer is lost, or the region can't tell."""
        while True:
            try:
                return await self._ask(ask)
            except (ServiceUnavailableError, TransactionInProgressError, AnswerLostError):
                self.tally.repeated += 1
            except TransactionCanceledError as error:
                if all(reason.code in ("None", "TransactionConflict") for reason in error.reasons):
                    self.tally.repeated += 1
                else:
                    raise
            await asyncio.sleep(look_s)

    async def _ask(self, ask: Callable[[Service], Awaitable[Answer]]) -> Answer:
        while self._service is None or self._process is None:  # noqa: ASYNC110 - time is virtual
            await asyncio.sleep(look_s)
        answering = self._process.answer(_answer(ask, self._service))
        await asyncio.wait([answering])
        if answering.cancelled():
            raise AnswerLostError
        return answering.result()

    # The region

    def _start(self) -> None:
        self._process = Process("home", failed=self._failed)
        self._process.start(self._serve(self._process))

    def _die(self) -> None:
        process, self._process, self._service = self._process, None, None
        if process is not None:
            self.tally.deaths += 1
            self._note("home dies")
            process.kill()
            self._people.start(self._come_back(self._chance.uniform(0.0, down_s_max)))

    async def _come_back(self, down_s: float) -> None:
        await asyncio.sleep(down_s)
        self._note("home starts")
        self._start()

    async def _serve(self, process: Process) -> None:
        partitions = SimulatedPartitions(
            self._disk,
            process,
            clock=self._clock,
            chance=self._chance,
            reached=self._reached,
            committed=lambda _partition, _group: None,
        )
        registry = Registry(Arns("home", "0" * 12))
        for name in ("accounts", "receipts"):
            definition = _definition(name)
            lanes = [Lane(definition.generation, number) for number in range(partition_count)]
            each = [partitions.of(lane, first_state=PartitionState()) for lane in lanes]
            registry.put(Table(LocalTable(definition, Stage.ACTIVE), each))
        log = SimulatedTransactionLog(self._disk, partitions)
        rounds = Rounds(log, region=1, clock=self._clock)
        transactions = Transactions(registry, rounds, transaction_log=log, clock=self._clock)
        await transactions.recover()
        self._service = Service(Items(registry), transactions)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(rounds.run())
            tasks.create_task(_tidy(transactions))

    def _reached(self, point: str) -> None:
        if self._armed == point:
            self._armed = None
            self._die()

    async def _rage(self) -> None:
        while True:
            await asyncio.sleep(self._chance.expovariate(1 / 0.2))
            if self._chance.random() < 0.8:
                self._armed = self._chance.choice(points)
            else:
                self.tally.full_disks += 1
                self._note("the disk is full")
                self._disk.is_full = True
                await asyncio.sleep(self._chance.uniform(0.0, 1.5))
                self._disk.is_full = False

    # The verdict

    def _balance(self) -> None:
        """Every account is what the receipts make of it, and every acknowledged transfer has one."""
        rows = self._rows()
        expected = dict.fromkeys(accounts, opening_balance)
        receipts = {name: item for name, item in rows.items() if name.startswith("receipt")}
        for item in receipts.values():
            amount = int(item["amount"]["N"])
            payees = [payee["S"] for payee in item["payees"]["L"]]
            expected[item["payer"]["S"]] -= amount * len(payees)
            for payee in payees:
                expected[payee] += amount
        held = {name: int(rows[name]["balance"]["N"]) for name in accounts}
        if held != expected:
            raise Violation(f"the accounts hold {held}, and by the receipts {expected}")
        if lost := [name for name in self._acknowledged if name not in receipts]:
            raise Violation(f"acknowledged and lost: {lost}")
        for name in accounts:
            counted = int(rows[name]["visits"]["N"])
            if not self._counted[name] <= counted <= self._asked[name]:
                raise Violation(
                    f"{name}: {self._counted[name]} of {self._asked[name]} were answered, {counted} counted"
                )

    def _rows(self) -> dict[str, Item]:
        rows = {}
        for name in ("accounts", "receipts"):
            for number in range(partition_count):
                lane = Lane(_definition(name).generation, number)
                if self._disk.holds(lane):
                    for row in self._disk.reader(lane).items_after((-1, b"", b""), end_slot=1 << 16, rows_max=100_000):
                        item = decode_item(row.image)
                        rows[item["id"]["S"]] = item
        return rows

    def _failed(self, process: str, error: BaseException) -> None:
        violation = error if isinstance(error, Violation) else Violation(f"{process} failed: {error!r}")
        if violation is not error:
            violation.__cause__ = error
        self._break(violation)

    def _break(self, violation: Violation) -> None:
        if not self._violation.done():
            self._note(f"violation: {violation}")
            self._violation.set_exception(violation)


def simulate_bank(seed: int, *, storm_s: float, note: Note) -> Tally:
    """One run. Raises `Violation`."""
    return in_virtual_time(_simulate(seed, storm_s, note), note=note)


async def _simulate(seed: int, storm_s: float, note: Note) -> Tally:
    bank = Bank(seed, note=note)
    try:
        return await bank.run(storm_s=storm_s)
    finally:
        bank.close()
        await wind_up()


async def _answer(ask: Callable[[Service], Awaitable[Answer]], service: Service) -> Answer:
    return await ask(service)


async def _tidy(transactions: Transactions) -> None:
    while True:
        await asyncio.sleep(look_s)
        with suppress(ServiceUnavailableError):
            await transactions.tidy()


def _definition(name: str) -> TableDefinition:
    return TableDefinition(
        generation=Generation(name.encode().ljust(16, b"-")),
        name=name,
        key_schema=KeySchema(KeyAttribute("id", "S")),
        partition_count=partition_count,
        replicas=(RegionName("home"),),
        created_us=0,
    )


def _token(name: str) -> ClientToken:
    return ClientToken(name, name.encode().ljust(parameters_bytes))


def _opening() -> TransactWrite:
    puts = [
        PutItem("accounts", _key(name) | {"balance": {"N": str(opening_balance)}, "visits": {"N": "0"}})
        for name in accounts
    ]
    return TransactWrite(puts, _token("opening"))


def _transfer(number: int, payer: str, payees: Sequence[str], amount: int) -> TransactWrite:
    total = {":amount": {"N": str(amount * len(payees))}}
    covered = bind_condition("balance >= :amount", Substitutions(None, total), parameter="ConditionExpression")
    actions: list[Action] = [
        UpdateItem("accounts", _key(payer), _update("SET balance = balance - :amount", total), Guard(covered))
    ]
    share = {":amount": {"N": str(amount)}}
    actions += [
        UpdateItem("accounts", _key(payee), _update("SET balance = balance + :amount", share)) for payee in payees
    ]
    receipt: Item = {
        "payer": {"S": payer},
        "payees": {"L": [{"S": payee} for payee in payees]},
        "amount": {"N": str(amount)},
    }
    actions.append(PutItem("receipts", _key(f"receipt {number}") | receipt, Guard(absent=True)))
    return TransactWrite(actions, _token(f"transfer {number}"))


def _asking(command: TransactWrite) -> Callable[[Service], Awaitable[object]]:
    return lambda service: service.transactions.write(command)


def _counting(name: str) -> Callable[[Service], Awaitable[object]]:
    command = UpdateItem("accounts", _key(name), _update("SET visits = visits + :one", {":one": {"N": "1"}}))
    return lambda service: service.items.update(command)


def _all_accounts() -> TransactGet:
    return TransactGet([GetItem("accounts", _key(name)) for name in accounts])


def _update(text: str, values: Item) -> Update:
    return bind_update(text, Substitutions(None, values))


def _key(name: str) -> Item:
    return {"id": {"S": name}}
