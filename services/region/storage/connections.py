"""Connections to partition files: a current SQLite, authenticated encrypted pages, durable commits.

Pages are AEGIS-256 by SQLite3 Multiple Ciphers, so a page that was altered or torn fails to open instead of answering
wrongly. Versions before 3.51.3 can corrupt a WAL that two connections write, so they are refused at start.
"""

from pathlib import Path

import apsw

from shared.errors import OperatorError

sqlite_version_min = (3, 51, 3)
_cache_kib = 4096


def check_sqlite() -> None:
    """Refuses to start on a SQLite that is too old or has no authenticated pages."""
    version = tuple(map(int, apsw.sqlite_lib_version().split(".")))
    if version < sqlite_version_min or not hasattr(apsw, "mc_version"):
        raise OperatorError(
            f"SQLite {apsw.sqlite_lib_version()} can't be used",
            why="partition files need SQLite 3.51.3 or newer with authenticated pages (apsw-sqlite3mc)",
            next_step="Install the versions of requirements.lock: make install",
        )


def open_writer(path: Path, key: bytes) -> apsw.Connection:
    """The one connection that writes a file; it alone checkpoints, when its owner says so."""
    connection = apsw.Connection(str(path), statementcachesize=64)
    _unlock(connection, path, key)
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")
    connection.pragma("wal_autocheckpoint", 0)
    connection.pragma("busy_timeout", 5000)
    return connection


def open_reader(path: Path, key: bytes) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, statementcachesize=64)
    _unlock(connection, path, key)
    connection.pragma("query_only", 1)
    connection.pragma("wal_autocheckpoint", 0)
    connection.pragma("busy_timeout", 5000)
    return connection


def check_format(path: Path, *, found: int, known: int) -> None:
    """A file of another format is not touched: neither read by guess nor written."""
    if found != known:
        raise OperatorError(
            f"{path} has format {found}, this Meridian reads format {known}",
            why="another version of Meridian has made it",
            next_step="Start that version on this data directory, or this one on an empty directory",
        )


def _unlock(connection: apsw.Connection, path: Path, key: bytes) -> None:
    connection.pragma("cipher", "aegis")
    connection.pragma("key", f"raw:{key.hex()}")
    try:
        connection.pragma("cache_size", -_cache_kib)
    except (apsw.NotADBError, apsw.CorruptError) as error:
        connection.close()
        raise OperatorError(
            f"{path} can't be opened",
            why="it was damaged, or encrypted with another key than this region's storage key",
            next_step="Put back the storage.key of this data directory, or remove this replica and add it anew",
        ) from error
