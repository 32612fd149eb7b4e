"""What the rounds come to: medians, ratios to the bare server, a table to read and members for a JSON file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.bench.rows import Round, RowName, bare, get, get_while_scanning, put, query, transact, update

get_ratio_aim = 0.60
put_ratio_aim = 0.30

_titles = {
    bare: "bare reply",
    get: "GetItem",
    put: "PutItem",
    query: "Query of 25 items",
    update: "UpdateItem with a condition",
    transact: "TransactWriteItems of 4",
    get_while_scanning: "GetItem while 4 clients scan",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians of one row's rounds."""

    rps: float
    ratio: float  # to the bare server's rps
    p50_ms: float
    p99_ms: float
    cpu_us: float  # per request
    core_share: float


def figures_of(measured: Mapping[RowName, Sequence[Round]]) -> dict[RowName, Figures]:
    """One of the rows is the bare server's."""
    bare_rps = next(_rps(rounds) for (_, operation), rounds in measured.items() if operation == bare)
    return {
        name: Figures(
            rps=_rps(rounds),
            ratio=_rps(rounds) / bare_rps,
            p50_ms=median(each.load.p50_ms for each in rounds),
            p99_ms=median(each.load.p99_ms for each in rounds),
            cpu_us=median(each.cpu_us_per_request for each in rounds),
            core_share=median(each.core_share for each in rounds),
        )
        for name, rounds in measured.items()
    }


def members_of(figures: Mapping[RowName, Figures], *, region: str, peers: Sequence[str]) -> dict[str, Any]:
    """The figures as members of bench.json; `region` and `peers` are names of servers."""
    mark = next(each for (_, operation), each in figures.items() if operation == bare)
    members: dict[str, Any] = {"bare_rps": round(mark.rps), "cpu_us_per_bare": round(mark.cpu_us, 1)}
    for operation in (get, put, update, transact, query):
        members |= _members(operation, figures[region, operation])
    members["get_p99_while_scanning_ms"] = round(figures[region, get_while_scanning].p99_ms, 2)
    if peers:
        members["peers"] = {
            peer: _members(get, figures[peer, get]) | _members(put, figures[peer, put]) for peer in peers
        }
    return members


def table_of(figures: Mapping[RowName, Figures]) -> str:
    """One line a row."""
    width = max(len(server) for server, _ in figures)
    head = (
        f"{'':{width}}  {'':28}  {'req/s':>7}  {'of bare':>7}  {'p50 ms':>7}  {'p99 ms':>7}  {'CPU µs':>7}  {'core':>5}"
    )
    lines = [
        f"{server:{width}}  {_titles[operation]:28}  {each.rps:7,.0f}  {each.ratio:7.2f}  {each.p50_ms:7.2f}"
        f"  {each.p99_ms:7.2f}  {each.cpu_us:7.1f}  {each.core_share:5.0%}"
        for (server, operation), each in figures.items()
    ]
    return "\n".join((head, *lines))


def shortfalls(members: Mapping[str, Any], *, slack: float) -> list[str]:
    """Which ratios stay below their aims; a slack of 0.1 takes a tenth off the aims."""
    aims = {"get_ratio": get_ratio_aim * (1 - slack), "put_ratio": put_ratio_aim * (1 - slack)}
    return [f"{name} is {members[name]:.3f}, below {aim:.3f}" for name, aim in aims.items() if members[name] < aim]


def _rps(rounds: Sequence[Round]) -> float:
    return median(each.load.requests_per_s for each in rounds)


def _members(operation: str, figures: Figures) -> dict[str, Any]:
    return {
        f"{operation}_rps": round(figures.rps),
        f"{operation}_ratio": round(figures.ratio, 3),
        f"{operation}_p50_ms": round(figures.p50_ms, 2),
        f"{operation}_p99_ms": round(figures.p99_ms, 2),
        f"cpu_us_per_{operation}": round(figures.cpu_us, 1),
    }
