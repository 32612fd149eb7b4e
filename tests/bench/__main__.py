"""`python -m tests.bench`: how fast one region is on one core, beside a bare server and, if wanted, its peers."""

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

import orjson

from shared.errors import OperatorError
from tests.bench import machine, peers, rows
from tests.bench.machine import Cores
from tests.bench.report import figures_of, members_of, shortfalls, table_of
from tests.bench.servers import Server, bare_command, free_port, region_command, running
from tests.bench.tables import Tables
from tests.bench.wrk import find_wrk

_build = Path(__file__).parents[2] / "build"
_logs = _build / "bench"
_report = _build / "bench.json"
_region = "Meridian"


def main(argv: Sequence[str] | None = None) -> int:
    """0 after a measurement, 1 when it can't be had, or when `--check` finds it too slow."""
    arguments = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _end)
    try:
        members = measure(arguments.rounds, arguments.seconds, beside=peers.peers() if arguments.peers else ())
    except OperatorError as error:
        print(error, file=sys.stderr)
        return 1
    _report.write_bytes(orjson.dumps(members, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    print(f"\nGetItem {members['get_ratio']:.2f} and PutItem {members['put_ratio']:.2f} of the bare server; {_report}")
    missed = [] if arguments.check is None else shortfalls(members, slack=arguments.check)
    for each in missed:
        print(each, file=sys.stderr)
    return 1 if missed else 0


def measure(rounds: int, seconds: int, *, beside: Sequence[peers.Peer]) -> dict[str, object]:
    """Runs everything, prints the table and gives the members of bench.json."""
    find_wrk()
    if beside:
        peers.install(peers.packages)
    _logs.mkdir(parents=True, exist_ok=True)
    machine.refuse_memory_disk(_logs)
    cores = machine.choose_cores()
    with TemporaryDirectory(prefix="data-", dir=_logs) as folder, ExitStack() as stack:
        data = Path(folder)
        facts = machine.facts(data, cores)
        bare = stack.enter_context(_serve("uvicorn", bare_command(port := free_port()), port, cores))
        plan = [rows.bare_row(bare)]
        region = stack.enter_context(_serve(_region, region_command(port := free_port(), data / "region"), port, cores))
        tables = Tables(region)
        tables.make_orders()
        tables.make_collections()
        plan += rows.point_rows(region, tables) + rows.further_rows(region, tables)
        for peer in beside:
            (data / peer.name).mkdir()
            command = peer.command(port := free_port(), data / peer.name)
            server = stack.enter_context(_serve(peer.name, command, port, cores))
            tables = Tables(server)
            tables.make_orders()
            plan += rows.point_rows(server, tables)
        measured = rows.measure(plan, rounds=rounds, seconds=seconds, folder=data)
    figures = figures_of(measured)
    print(table_of(figures))
    members = members_of(figures, region=_region, peers=[peer.name for peer in beside])
    return members | {"rounds": rounds, "seconds": seconds, "connections": rows.connections, "machine": facts}


@contextmanager
def _serve(name: str, command: Sequence[str], port: int, cores: Cores) -> Iterator[Server]:
    log = _logs / f"{name.replace(' ', '-')}.log"
    log.unlink(missing_ok=True)
    with running(name, command, port=port, core=cores.server, log=log) as server:
        yield server


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.bench", description=__doc__, allow_abbrev=False)
    parser.add_argument("--peers", action="store_true", help="measure dynalite and Dynoxide in the same run")
    parser.add_argument("--rounds", type=int, default=5, help="how often each row is measured (default 5)")
    parser.add_argument("--seconds", type=int, default=3, help="how long each time (default 3)")
    parser.add_argument(
        "--check",
        type=float,
        nargs="?",
        const=0.0,
        metavar="SLACK",
        help="exit 1 below the aims; with 0.2, below four fifths of them",
    )
    return parser


def _end(_signal: int, _frame: object) -> NoReturn:
    """Lets the servers be stopped on the way out."""
    sys.exit(143)


if __name__ == "__main__":
    sys.exit(main())
