"""The rows of the benchmark: what is asked of which server, round after round, each round checked."""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from shared.errors import OperatorError
from tests.bench import requests
from tests.bench.items import collection_items, item_bytes
from tests.bench.servers import Server
from tests.bench.tables import Tables
from tests.bench.wrk import Load, finish, play, playing, write_messages

connections = 64
scanning_clients = 4

bare = "bare"
get = "get"
put = "put"
query = "query"
update = "update"
transact = "transact"
get_while_scanning = "get while scanning"

_transacted = 1_000  # added to the revisions that transactions write


def _nothing(_load: Load, _round: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Row:
    """`messages` are those of a round, `check` judges what a round did, `beside` is what others ask meanwhile."""

    server: Server
    operation: str
    messages: Callable[[int], Sequence[bytes]]
    check: Callable[[Load, int], None] = _nothing
    beside: Sequence[bytes] = ()

    @property
    def name(self) -> "RowName":
        return self.server.name, self.operation


RowName = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Round:
    load: Load
    cpu_us: float  # of the server, for the whole round

    @property
    def cpu_us_per_request(self) -> float:
        return self.cpu_us / self.load.requests

    @property
    def core_share(self) -> float:
        """How much of its core the server used; well below 1, something else was the bottleneck."""
        return self.cpu_us / (self.load.seconds * 1e6)


def bare_row(server: Server) -> Row:
    return Row(server, bare, lambda _: requests.bare_requests(server.port))


def point_rows(server: Server, tables: Tables) -> list[Row]:
    """What is compared with other servers: GetItem and PutItem."""
    return [
        Row(server, get, lambda _: requests.get_requests(server.port), _holding(server, items=1)),
        Row(
            server,
            put,
            lambda number: requests.put_requests(server.port, revision=number),
            lambda load, number: tables.check_put(load.requests, revision=number),
        ),
    ]


def further_rows(server: Server, tables: Tables) -> list[Row]:
    """What is measured of Meridian alone, after the rows above: the updates need what the puts left."""
    return [
        Row(
            server,
            update,
            lambda _: requests.update_requests(server.port),
            lambda load, _: tables.check_updated(load.requests),
        ),
        Row(
            server,
            transact,
            lambda number: requests.transaction_requests(server.port, revision=number + _transacted),
            lambda load, number: tables.check_transacted(load.requests, revision=number + _transacted),
        ),
        Row(server, query, lambda _: requests.query_requests(server.port), _holding(server, items=collection_items)),
        Row(
            server,
            get_while_scanning,
            lambda _: requests.get_requests(server.port),
            _holding(server, items=1),
            requests.scan_requests(server.port),
        ),
    ]


def measure(rows: Sequence[Row], *, rounds: int, seconds: int, folder: Path) -> Mapping[RowName, Sequence[Round]]:
    """All rows in turn, and that several times over, so that what disturbs the machine disturbs all of them."""
    measured: dict[RowName, list[Round]] = {row.name: [] for row in rows}
    for number in range(1, rounds + 1):
        print(f"round {number} of {rounds}, {len(rows) * seconds} s", file=sys.stderr, flush=True)
        for row in rows:
            measured[row.name].append(_measure_round(row, number, seconds=seconds, folder=folder))
    return measured


def _measure_round(row: Row, number: int, *, seconds: int, folder: Path) -> Round:
    messages = write_messages(row.messages(number), folder / "messages")
    with ExitStack() as stack:
        others = None
        if row.beside:
            beside = write_messages(row.beside, folder / "messages-beside")
            others = stack.enter_context(
                playing(beside, row.server.port, connections=scanning_clients, seconds=seconds + 1, gives_way=True)
            )
        before_us = row.server.cpu_us()
        load = play(messages, row.server.port, connections=connections, seconds=seconds)
        spent_us = row.server.cpu_us() - before_us
        if others is not None:
            finish(others)
    row.check(load, number)
    return Round(load, spent_us)


def _holding(server: Server, *, items: int) -> Callable[[Load, int], None]:
    """Judges by their mean size whether replies hold their items."""

    def check(load: Load, _round: int) -> None:
        if load.reply_bytes < items * item_bytes:
            raise OperatorError(
                f"{server.name} answers without the items",
                why=f"a reply has {load.reply_bytes:.0f} bytes, and {items} items have {items * item_bytes}",
                next_step=f"Look at its log, {server.log}",
            )

    return check
