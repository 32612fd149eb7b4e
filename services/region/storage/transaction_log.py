"""The transaction log of a region: what transactions have decided until it is done everywhere, and their tokens.

A transaction over several partition files is committed by the COMMIT of its entry here, and then done in each of the
files; what a crash leaves undone is found here by the next start, in one small file. It is made by the first
transaction. Entries that come while a commit is under way share the next one.
"""

from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from services.region.commands.transactions import ClientToken, parameters_bytes
from services.region.storage import transaction_statements as statements
from services.region.storage.connections import check_format, open_reader, open_writer
from services.region.storage.write_ahead_log import WriteAheadLog, pages_max, pages_when_idle
from services.region.storage.writer import as_unavailable
from services.region.storage.writer_threads import WriterThreads
from shared.errors import ServiceUnavailableError
from shared.limits import transaction_token_age_s, transactions_forgotten_per_job_max

_thread = 0  # of those that serve partitions
_token_age_us = transaction_token_age_s * 1_000_000


class Entry(NamedTuple):
    """What a transaction has decided: `changes` is an encoded batch of them, empty if it writes nothing.

    With a token, `read_units` are kept as long as it is: of each action those that a repeated request consumes.
    """

    decided_us: int
    client_token: ClientToken | None
    changes: bytes
    read_units: bytes = b""


class Known(NamedTuple):
    """What came with a token: the digest of its request's parameters, and of each action the units of a repetition."""

    parameters: bytes
    read_units: bytes


class Unfinished(NamedTuple):
    number: int
    client_token: ClientToken | None
    changes: bytes


class _Batch(NamedTuple):
    entries: Sequence[tuple[int, Entry]]
    finished: Sequence[int]
    forgotten_us: int  # entries decided before that are dropped
    committed: Sequence[Future[None]]


class TransactionLog:
    """All methods belong to the event loop's thread."""

    def __init__(self, path: Path, *, key: bytes, loop: AbstractEventLoop, threads: WriterThreads) -> None:
        self._path = path
        self._key = key
        self._loop = loop
        self._threads = threads
        self._file: TransactionLogFile | None = None
        self._reader: apsw.Connection | None = None
        self._exists = self._is_there()
        self._last = 0
        self._entries: list[tuple[int, Entry]] = []
        self._finished: list[int] = []
        self._forgotten_us = 0
        self._committed: list[Future[None]] = []
        self._busy = False
        if (reader := self._reading()) is not None:
            self._last = reader.execute(statements.read_last).get or 0

    def unfinished(self) -> Sequence[Unfinished]:
        """What may not be done everywhere, in the order in which it was decided."""
        reader = self._reading()
        rows = () if reader is None else reader.execute(statements.read_unfinished)
        return [
            Unfinished(number, None if token is None else ClientToken(token, known[:parameters_bytes]), changes)
            for number, token, known, changes in rows
        ]

    def known(self, token: str, *, now_us: int) -> Known | None:
        """What came with a token of a transaction of the last ten minutes."""
        reader = self._reading()
        row = None if reader is None else reader.execute(statements.read_token, (token,)).get
        if row is None:
            return None
        decided_us, known = row
        return None if _has_expired(decided_us, now_us) else Known(known[:parameters_bytes], known[parameters_bytes:])

    def append(self, entries: Sequence[Entry]) -> "tuple[Sequence[int], Future[None]]":
        """Commits entries, all or none; their numbers, and a future that resolves once they are durable."""
        numbers = range(self._last + 1, self._last + 1 + len(entries))
        self._last += len(entries)
        self._entries += zip(numbers, entries, strict=True)
        return numbers, self._write()

    def finish(self, numbers: Sequence[int]) -> None:
        """Entries are done everywhere; that is written along with whatever is written next."""
        self._finished += numbers

    async def tidy(self, *, now_us: int) -> None:
        """Writes down what is finished and drops some of the entries whose tokens have expired."""
        reader = self._reading()
        first_us = None if reader is None else reader.execute(statements.read_first).get
        if first_us is not None and _has_expired(first_us, now_us):
            self._forgotten_us = now_us - _token_age_us
        if self._finished or self._forgotten_us:
            await self._write()

    async def close(self) -> None:
        """What is finished is written down if it can be; nothing may be appended any more."""
        if self._finished or self._busy:
            with suppress(ServiceUnavailableError):
                await self._write()
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        if self._file is not None:
            self._threads.run(_thread, self._file.close)

    def _write(self) -> "Future[None]":
        future: Future[None] = self._loop.create_future()
        self._committed.append(future)
        if not self._busy:
            self._busy = True
            self._hand_over()
        return future

    def _hand_over(self) -> None:
        batch = _Batch(self._entries, self._finished, self._forgotten_us, self._committed)
        self._entries, self._finished, self._forgotten_us, self._committed = [], [], 0, []
        self._threads.run(_thread, lambda: self._run(batch))

    def _run(self, batch: _Batch) -> None:
        """On the writer's thread: one transaction."""
        error: Exception | None = None
        try:
            if self._file is None:
                self._file = self._open_file()
            self._file.write(batch.entries, batch.finished, forgotten_us=batch.forgotten_us)
        except Exception as failure:  # noqa: BLE001 - whatever went wrong belongs to those who wait
            error = as_unavailable(failure)
        self._loop.call_soon_threadsafe(self._settle, batch, error)
        if self._file is not None:
            self._file.checkpoint(pages_min=pages_max if self._committed else pages_when_idle)

    def _settle(self, batch: _Batch, error: Exception | None) -> None:
        if error is None:
            self._exists = True
        else:
            self._finished += batch.finished
        for future in batch.committed:
            if not future.cancelled():
                if error is None:
                    future.set_result(None)
                else:
                    future.set_exception(error)
        if self._committed:
            self._hand_over()
        else:
            self._busy = False

    def _reading(self) -> apsw.Connection | None:
        """None while nothing was ever committed."""
        if self._reader is None and self._exists:
            reader = self._open_reader()
            if has_tables(reader):
                self._reader = reader
                number = reader.execute(statements.read_format).get
                check_format(self._path, found=number, known=statements.format_number)
            else:
                reader.close()
                self._exists = False
        return self._reader

    def _is_there(self) -> bool:
        return self._path.exists()

    def _open_file(self) -> "TransactionLogFile":
        return TransactionLogFile(open_writer(self._path, self._key))

    def _open_reader(self) -> apsw.Connection:
        return open_reader(self._path, self._key)


class TransactionLogFile:
    """The writing side, on one thread at a time."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._log = WriteAheadLog(connection)
        if not has_tables(connection):
            with _transaction(connection):
                connection.execute(statements.create)
                connection.execute(statements.create_format, (statements.format_number,))

    def write(self, entries: Sequence[tuple[int, Entry]], finished: Sequence[int], *, forgotten_us: int = 0) -> None:
        """Any part that is done already is passed over."""
        execute: Callable[..., object] = self._connection.execute
        with _transaction(self._connection):
            for number in finished:
                execute(statements.finish_with_token, (number,))
                execute(statements.finish_without_token, (number,))
            if forgotten_us:
                for number in self._oldest(forgotten_us):
                    execute(statements.forget, (number,))
            for number, (decided_us, client_token, changes, read_units) in entries:
                token, known = (None, None) if client_token is None else client_token
                known = None if known is None else known + read_units
                execute(statements.append, (number, decided_us, token, known, changes or None))

    def checkpoint(self, *, pages_min: int) -> None:
        self._log.checkpoint(self._connection, pages_min=pages_min)

    def close(self) -> None:
        self._connection.close()

    def _oldest(self, before_us: int) -> Sequence[int]:
        rows: list[Any] = self._connection.execute(
            statements.read_oldest, (transactions_forgotten_per_job_max, before_us)
        ).fetchall()
        return [number for (number,) in rows]


@contextmanager
def _transaction(connection: apsw.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk may have ended it
            connection.execute("ROLLBACK")
        raise


def has_tables(connection: apsw.Connection) -> bool:
    return connection.execute(statements.read_tables).get is not None


def _has_expired(decided_us: int, now_us: int) -> bool:
    return now_us - decided_us > _token_age_us
