"""The transaction log: entries are there all together or not at all, and tokens for as long as they count."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import apsw
import pytest

from services.region.commands.transactions import ClientToken, parameters_bytes
from services.region.storage import transaction_statements
from services.region.storage.connections import open_writer
from services.region.storage.transaction_log import Entry, Known, TransactionLog, TransactionLogFile
from services.region.storage.writer_threads import WriterThreads
from shared.errors import OperatorError, ServiceUnavailableError
from tests.unit.storage.folders import storage_key
from tests.unit.storage.test_statements import plan

now_us = 1_700_000_000_000_000
ten_minutes_us = 600_000_000


def entry(changes: bytes = b"changes", *, token: str | None = None, decided_us: int = now_us) -> Entry:
    return Entry(decided_us, None if token is None else ClientToken(token, digest(token)), changes, bytes([2, 200]))


def digest(text: str) -> bytes:
    return text.encode().ljust(parameters_bytes)


@asynccontextmanager
async def opened(folder: Path, *, key: bytes = storage_key) -> AsyncIterator[TransactionLog]:
    threads = WriterThreads(1)
    try:
        log = TransactionLog(folder / "transactions.db", key=key, loop=asyncio.get_running_loop(), threads=threads)
        yield log
        await log.close()
    finally:
        threads.stop()


async def test_a_log_that_was_never_written_to_is_no_file(tmp_path: Path) -> None:
    async with opened(tmp_path) as log:
        assert log.unfinished() == []
        assert log.known("a", now_us=now_us) is None
        await log.tidy(now_us=now_us)
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240 - in a test's own folder


async def test_a_log_of_another_format_is_refused_at_start(tmp_path: Path) -> None:
    async with opened(tmp_path) as log:
        _, committed = log.append([entry()])
        await committed
    connection = open_writer(tmp_path / "transactions.db", storage_key)
    connection.execute("UPDATE format SET number = 99")
    connection.close()
    with pytest.raises(OperatorError, match="format 99"):
        async with opened(tmp_path):
            pass


async def test_what_is_not_finished_is_found_by_the_next_start_in_order(tmp_path: Path) -> None:
    async with opened(tmp_path) as log:
        numbers, committed = log.append([entry(b"first"), entry(b"second", token="t"), entry(b"third")])
        await committed
        log.finish(numbers[2:])
    async with opened(tmp_path) as log:
        first, second = log.unfinished()
        assert (first.changes, first.client_token) == (b"first", None)
        assert (second.changes, second.client_token) == (b"second", ClientToken("t", digest("t")))
        _, committed = log.append([entry(b"fourth")])
        await committed
        log.finish([first.number, second.number])
        await log.tidy(now_us=now_us)
        assert [each.changes for each in log.unfinished()] == [b"fourth"]


async def test_entries_that_come_while_a_commit_is_under_way_share_the_next_one(tmp_path: Path) -> None:
    async with opened(tmp_path) as log:
        appended = [log.append([entry(b"%d" % number)]) for number in range(20)]
        await asyncio.gather(*(committed for _, committed in appended))
        assert [each.changes for each in log.unfinished()] == [b"%d" % number for number in range(20)]


async def test_a_token_counts_for_ten_minutes_also_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as log:
        numbers, committed = log.append([entry(token="t")])
        await committed
        log.finish(numbers)
    async with opened(tmp_path) as log:
        assert log.known("t", now_us=now_us + ten_minutes_us) == Known(digest("t"), bytes([2, 200]))
        assert log.known("t", now_us=now_us + ten_minutes_us + 1) is None
        assert log.known("u", now_us=now_us) is None


async def test_a_token_that_has_expired_can_be_used_anew(tmp_path: Path) -> None:
    async with opened(tmp_path) as log:
        numbers, committed = log.append([entry(token="t")])
        await committed
        log.finish(numbers)
        later_us = now_us + 2 * ten_minutes_us
        _, committed = log.append([Entry(later_us, ClientToken("t", digest("other")), b"", bytes([4]))])
        await committed
        assert log.known("t", now_us=later_us) == Known(digest("other"), bytes([4]))


async def test_what_has_expired_is_dropped_unless_it_is_not_finished(tmp_path: Path) -> None:
    async with opened(tmp_path) as log:
        numbers, committed = log.append(
            [entry(token="done"), entry(token="undone"), entry(token="young", decided_us=now_us + ten_minutes_us)]
        )
        await committed
        log.finish([numbers[0], numbers[2]])
        await log.tidy(now_us=now_us)
        await log.tidy(now_us=now_us + ten_minutes_us + 1)
    connection = open_writer(tmp_path / "transactions.db", storage_key)
    assert connection.execute("SELECT token FROM transactions ORDER BY number").fetchall() == [
        ("undone",),
        ("young",),
    ]
    connection.close()


async def test_a_commit_that_fails_is_told_and_the_log_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(tmp_path) as log:
        numbers, committed = log.append([entry(b"first")])
        await committed
        with monkeypatch.context() as broken:
            broken.setattr(TransactionLogFile, "write", _no_room)
            log.finish(numbers)
            _, committed = log.append([entry(b"lost")])
            with pytest.raises(ServiceUnavailableError):
                await committed
        _, committed = log.append([entry(b"last")])
        await committed
        assert [each.changes for each in log.unfinished()] == [b"last"]


def _no_room(_self: TransactionLogFile, *_arguments: object, **_named: object) -> None:
    raise apsw.FullError("made for this test")


async def test_a_log_is_not_opened_with_another_key(tmp_path: Path) -> None:
    async with opened(tmp_path) as log:
        _, committed = log.append([entry()])
        await committed
    with pytest.raises(OperatorError):
        async with opened(tmp_path, key=bytes(32)):
            pass


_queries = {
    name: text
    for name, text in vars(transaction_statements).items()
    if isinstance(text, str) and re.match(r"(SELECT|INSERT|UPDATE|DELETE)\b", text)
}


@pytest.mark.parametrize("name", sorted(_queries))
def test_no_statement_scans_the_log_or_sorts_unless_intended(tmp_path: Path, name: str) -> None:
    connection = open_writer(tmp_path / "transactions.db", storage_key)
    TransactionLogFile(connection)
    steps = plan(connection, _queries[name])
    assert not any("TEMP B-TREE" in step for step in steps), steps
    scans = [step for step in steps if step.startswith("SCAN")]
    assert bool(scans) == (name in transaction_statements.full_scans_intended), steps
    connection.close()
