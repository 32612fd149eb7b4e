"""When what a file's write-ahead log holds moves into the file.

A page that is written often is moved once however many copies of it the log holds, so moving seldom is cheap; what
bounds it is the log's size and how long one move keeps writers waiting. Hence a low bound for files at rest, a high
one for those under load.
"""

from contextlib import suppress

import apsw

pages_when_idle = 256
pages_max = 1024
idle_s = 0.05


class WriteAheadLog:
    """The log of a connection that alone writes its file and alone moves pages."""

    def __init__(self, connection: apsw.Connection) -> None:
        self.pages = 0
        connection.set_wal_hook(self._note_pages)

    def checkpoint(self, connection: apsw.Connection, *, pages_min: int) -> None:
        """Moves what is there once it is that much; between two transactions.

        One that fails, as on a full disk, loses nothing: the log keeps what it holds, and a later one tries again.
        """
        if self.pages >= pages_min:
            with suppress(apsw.Error):
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
                self.pages = 0

    def _note_pages(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        self.pages = pages
        return apsw.SQLITE_OK
