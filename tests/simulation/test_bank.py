"""A bank keeps its money through every storm, and a simulation that would not notice a broken rule is no proof."""

import asyncio
from asyncio import Future
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import pytest

from services.region.engine import transaction_completion
from services.region.engine.transaction_rounds import Rounds
from services.region.engine.transactions import Transactions
from services.region.rules.stored import StoredItem
from services.region.storage.partitions import Partition
from services.region.storage.transaction_log import Entry, Known, TransactionLog
from services.region.storage.writer import Hold, Job
from shared.changes.records import Lane
from shared.errors import ServiceError
from shared.versions.versions import Version
from tests.simulation.bank import Tally, simulate_bank
from tests.simulation.ledger import Violation

fixed_seeds = range(1, 13)
seeds_until_noticed = range(1, 25)
storm_s = 5.0


def run(seed: int) -> Tally | Violation:
    try:
        return simulate_bank(seed, storm_s=storm_s, note=lambda _time_s, _what: None)
    except Violation as violation:
        return violation


def test_no_transfer_is_done_by_half_or_twice_or_lost_in_the_storms_of_fixed_seeds() -> None:
    tallies = [run(seed) for seed in fixed_seeds]
    for seed, tally in zip(fixed_seeds, tallies, strict=True):
        assert isinstance(tally, Tally), f"seed {seed}: {tally}"
    for what in ("transfers", "cancelled", "repeated", "counted", "audits", "deaths", "full_disks"):
        assert sum(getattr(tally, what) for tally in tallies) > len(fixed_seeds), f"hardly any run had {what}"


async def _nothing_recovered(_self: Transactions) -> None: ...


def _always_finished(_self: Rounds, _lanes: Iterable[Lane]) -> bool:
    return True


def _never_done(_version: Version, _stored: StoredItem | None, *, collected_timestamp: int) -> bool:
    return False


def _no_token_known(_self: TransactionLog, _token: str, *, now_us: int) -> Known | None:
    return None


class _NoHold:
    """Its owner's jobs queue up with all others."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition

    def submit(self, job: Job[Any]) -> "Future[Any]":
        return self._partition.submit(job)

    def refuse_waiting(self, error: ServiceError) -> None: ...

    def release(self) -> None: ...

    def abandon(self, error: ServiceError) -> None: ...


def _hold_that_keeps_nobody_out(self: Partition) -> "Future[Hold]":
    future: Future[Hold] = asyncio.get_running_loop().create_future()
    future.set_result(cast("Hold", _NoHold(self)))
    return future


def _append_without_waiting(self: TransactionLog, entries: Sequence[Entry]) -> "tuple[Sequence[int], Future[None]]":
    """The changes are on their way before their list is durable."""
    numbers, committed = _append(self, entries)
    committed.add_done_callback(Future.exception)
    at_once: Future[None] = asyncio.get_running_loop().create_future()
    at_once.set_result(None)
    return numbers, at_once


_append = TransactionLog.append


@pytest.mark.parametrize(
    ("owner", "name", "broken"),
    [
        pytest.param(Transactions, "recover", _nothing_recovered, id="recovery-forgotten"),
        pytest.param(Rounds, "are_finished", _always_finished, id="read-in-the-middle"),
        pytest.param(transaction_completion, "is_done", _never_done, id="done-again"),
        pytest.param(TransactionLog, "known", _no_token_known, id="token-forgotten"),
        pytest.param(Partition, "hold", _hold_that_keeps_nobody_out, id="nobody-kept-out"),
        pytest.param(TransactionLog, "append", _append_without_waiting, id="changes-before-their-list"),
    ],
)
def test_a_broken_rule_is_noticed(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, broken: Callable[..., object]
) -> None:
    """Negative controls."""
    monkeypatch.setattr(owner, name, broken)
    assert any(isinstance(run(seed), Violation) for seed in seeds_until_noticed)
