"""Transactions of a region in its own files: whole after a kill at any point, and known in the other regions."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import orjson
import pytest

from services.region.engine import transaction_completion
from services.region.engine.transaction_completion import WriteDecided
from services.region.engine.transactions import Transactions
from shared.clock import SystemClock
from shared.errors import ServiceUnavailableError
from tests.unit.engine.interrupted_transaction import names, put_all, table, token
from tests.unit.engine.regions import InProcessRegion, WireError, add_replica, carry, opened


def killed_inside_a_transaction(folder: Path, point: str) -> None:
    command = [sys.executable, "-m", "tests.unit.engine.interrupted_transaction", str(folder), point]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, ""), done.stderr


async def error_of(region: InProcessRegion, operation: str, **members: object) -> str:
    with pytest.raises(WireError) as refusal:
        await region.call(operation, **members)
    code: str = orjson.loads(str(refusal.value).partition(" ")[2])["__type"].partition("#")[2]
    return code


@pytest.mark.parametrize(
    ("point", "text"),
    [("before the list", "before"), *((f"change {number}", "after") for number in range(4))],
)
async def test_a_kill_inside_a_transaction_leaves_all_of_it_or_nothing(tmp_path: Path, point: str, text: str) -> None:
    """Committed with its list of changes: what is not done by then is done by the next start."""
    killed_inside_a_transaction(tmp_path, point)
    async with opened(tmp_path) as region:
        assert await region.scanned(table) == dict.fromkeys(names, text)
        await region.put(table, names[0], "later")
        await put_all(region, "after")
        repeated = text == "after"
        assert await region.get(table, names[0]) == ("later" if repeated else "after")
    async with opened(tmp_path) as region:
        assert await region.get(table, names[0]) == ("later" if repeated else "after")


async def test_without_recovery_a_kill_would_leave_half_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control."""

    async def forget(_self: Transactions) -> None: ...

    monkeypatch.setattr(Transactions, "recover", forget)
    killed_inside_a_transaction(tmp_path, "change 2")
    async with opened(tmp_path) as region:
        assert set((await region.scanned(table)).values()) == {"before", "after"}


async def test_a_table_that_is_gone_does_not_hinder_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last transaction is found unfinished when it has been deleted."""
    killed_inside_a_transaction(tmp_path, "change 0")

    async def forget(_self: Transactions) -> None: ...

    with monkeypatch.context() as without:
        without.setattr(Transactions, "recover", forget)
        async with opened(tmp_path) as region:
            await region.call("DeleteTable", TableName=table)
    async with opened(tmp_path) as region:
        await region.create_table(table)
        assert await region.scanned(table) == {}


async def test_a_token_is_known_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as region:
        await region.create_table(table)
        await put_all(region, "text")
    async with opened(tmp_path) as region:
        await region.put(table, names[0], "later")
        await put_all(region, "text")
        assert await region.get(table, names[0]) == "later"
        put = {"Put": {"TableName": table, "Item": {"pk": {"S": "other"}}}}
        code = await error_of(region, "TransactWriteItems", TransactItems=[put], ClientRequestToken=token)
        assert code == "IdempotentParameterMismatchException"


def put_of(name: str) -> dict[str, object]:
    return {"Put": {"TableName": table, "Item": {"pk": {"S": name}, "text": {"S": "text"}}}}


async def is_put(region: InProcessRegion, name: str) -> bool:
    """Whether a transaction of its own puts it, or else is refused beside one that is not written."""
    try:
        await region.call("TransactWriteItems", TransactItems=[put_of(name)])
    except WireError:
        return False
    return True


class MovedClock(SystemClock):
    ahead_us = 0

    def wall_us(self) -> int:
        return super().wall_us() + self.ahead_us


async def test_a_token_counts_for_ten_minutes(tmp_path: Path) -> None:
    clock = MovedClock()
    async with opened(tmp_path, clock=clock) as region:
        await region.create_table(table)
        await put_all(region, "text")
        for later_us, text in ((599_000_000, "later"), (601_000_000, "text")):
            clock.ahead_us = later_us
            await region.put(table, names[0], "later")
            await put_all(region, "text")
            assert await region.get(table, names[0]) == text


async def test_a_region_without_transactions_keeps_no_log(tmp_path: Path) -> None:
    async with opened(tmp_path) as region:
        await region.create_table(table)
        await region.put(table, "a", "x")
        gets = [{"Get": {"TableName": table, "Key": {"pk": {"S": "a"}}}}]
        await region.call("TransactGetItems", TransactItems=gets)
    assert not (tmp_path / "here" / "transactions.db").exists()


async def test_large_transactions_that_come_together_are_all_done(tmp_path: Path) -> None:
    """More than one round holds: the rest waits for the next."""
    async with opened(tmp_path) as region:
        await region.create_table(table)
        text = "x" * 390_000

        async def put_ten(number: int) -> None:
            items = [{"pk": {"S": f"{number}.{position}"}, "text": {"S": text}} for position in range(10)]
            puts = [{"Put": {"TableName": table, "Item": item}} for item in items]
            await region.call("TransactWriteItems", TransactItems=puts)

        await asyncio.gather(*(put_ten(number) for number in range(12)))
        for number in range(12):
            assert await region.get(table, f"{number}.9") == text


def counted(metrics: Mapping[tuple[str, ...], float]) -> tuple[float, ...]:
    return tuple(metrics["meridian_transactions_total", outcome] for outcome in ("committed", "read", "cancelled"))


async def test_transactions_are_counted_by_what_became_of_them(tmp_path: Path) -> None:
    get = {"Get": {"TableName": table, "Key": {"pk": {"S": names[0]}}}}
    check = {"TableName": table, "Key": {"pk": {"S": "absent"}}, "ConditionExpression": "attribute_exists(pk)"}
    async with opened(tmp_path) as region:
        await region.create_table(table)
        assert counted(await region.metrics()) == (0, 0, 0)
        await put_all(region, "text")
        await put_all(region, "text")  # the same one again
        await region.call("TransactGetItems", TransactItems=[get])
        refused = await error_of(region, "TransactWriteItems", TransactItems=[{"ConditionCheck": check}])
        assert refused == "TransactionCanceledException"
        statements = [{"Statement": f"SELECT * FROM {table} WHERE pk = 'absent'"}]
        await region.call("ExecuteTransaction", TransactStatements=statements)
        metrics = await region.metrics()
        assert counted(metrics) == (1, 2, 1)
        assert metrics["meridian_transaction_round_members_sum",] == 2
        assert metrics["meridian_transaction_round_members_count",] == 2
        assert metrics["meridian_transactions_unwritten",] == 0


async def test_a_committed_transaction_that_cannot_be_written_shows_until_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction_completion, "transaction_retry_s", 0.001)
    async with opened(tmp_path) as region:
        await region.create_table(table)

        def fail(*_: object, **__: object) -> None:
            raise ServiceUnavailableError("The disk is full")

        with monkeypatch.context() as broken:
            broken.setattr(WriteDecided, "run", fail)
            assert await error_of(region, "TransactWriteItems", TransactItems=[put_of("a")]) == "ServiceUnavailable"
            metrics = await region.metrics()
            assert metrics["meridian_transactions_unwritten",] == 1
            assert counted(metrics) == (1, 0, 0)
        refused = 0
        async with asyncio.timeout(20):
            while not await is_put(region, "a"):
                refused += 1
        metrics = await region.metrics()
        assert metrics["meridian_transactions_unwritten",] == 0
        assert counted(metrics) == (2, 0, refused)


async def test_a_request_whose_token_is_in_use_is_told_so(tmp_path: Path) -> None:
    async with opened(tmp_path) as region:
        await region.create_table(table)
        outcomes = await asyncio.gather(*(put_all(region, "text") for _ in range(3)), return_exceptions=True)
        refused = [str(outcome) for outcome in outcomes if outcome is not None]
        assert len(refused) == 2
        assert all("TransactionInProgressException" in refusal for refusal in refused)


async def test_what_a_transaction_has_written_reaches_the_other_regions(tmp_path: Path) -> None:
    async with opened(tmp_path, "here") as here, opened(tmp_path, "there") as there:
        await here.create_table(table)
        await add_replica(table, here, there)
        await put_all(here, "text")
        await carry(here, there)
        assert await there.scanned(table) == dict.fromkeys(names, "text")
        update = {
            "TableName": table,
            "Key": {"pk": {"S": names[0]}},
            "UpdateExpression": "SET #t = :new",
            "ConditionExpression": "#t = :old",
            "ExpressionAttributeNames": {"#t": "text"},
            "ExpressionAttributeValues": {":old": {"S": "text"}, ":new": {"S": "newer"}},
        }
        delete = {"TableName": table, "Key": {"pk": {"S": names[1]}}}
        await there.call("TransactWriteItems", TransactItems=[{"Update": update}, {"Delete": delete}])
        await carry(there, here)
        assert await here.scanned(table) == await there.scanned(table)
        assert (await here.get(table, names[0]), await here.get(table, names[1])) == ("newer", None)
