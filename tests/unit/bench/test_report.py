"""Medians, ratios to the bare server, and what falls short of the aims."""

from collections.abc import Mapping, Sequence

import pytest

from tests.bench.report import figures_of, members_of, shortfalls, table_of
from tests.bench.rows import Round, RowName, bare, get, get_while_scanning, put, query, transact, update
from tests.bench.wrk import Load

_region_operations = (get, put, update, transact, query, get_while_scanning)


def _round(requests: int, *, cpu_us: float = 900_000) -> Round:
    return Round(Load(requests=requests, seconds=1.0, reply_bytes=400, p50_ms=2.0, p99_ms=9.0), cpu_us)


def _measured(**rps: Sequence[int]) -> Mapping[RowName, Sequence[Round]]:
    region = {("Meridian", name): [_round(each) for each in rps.get(name, (10_000,))] for name in _region_operations}
    peer = {("peer", name): [_round(each) for each in (4_000, 4_000)] for name in (get, put)}
    return {("uvicorn", bare): [_round(each) for each in rps.get(bare, (40_000,))], **region, **peer}


def test_a_disturbed_round_does_not_move_the_figures() -> None:
    figures = figures_of(_measured(bare=[40_000, 2_000, 41_000], get=[30_000, 32_000, 1_000]))
    assert figures["uvicorn", bare].rps == 40_000
    assert figures["Meridian", get].ratio == 0.75


def test_cpu_is_told_per_request_and_as_a_share_of_the_core() -> None:
    figures = figures_of({("uvicorn", bare): [_round(45_000)]})
    assert figures["uvicorn", bare].cpu_us == 20
    assert figures["uvicorn", bare].core_share == 0.9


def test_the_file_holds_region_and_peers_against_the_same_bare_server() -> None:
    figures = figures_of(_measured(get=[24_000], put=[12_000]))
    members = members_of(figures, region="Meridian", peers=["peer"])
    assert (members["bare_rps"], members["get_rps"], members["put_rps"]) == (40_000, 24_000, 12_000)
    assert (members["get_ratio"], members["put_ratio"]) == (0.6, 0.3)
    assert (members["put_p50_ms"], members["put_p99_ms"], members["cpu_us_per_put"]) == (2.0, 9.0, 75.0)
    assert members["peers"]["peer"]["get_ratio"] == 0.1
    assert members["get_p99_while_scanning_ms"] == 9.0


def test_without_peers_the_file_does_not_speak_of_them() -> None:
    assert "peers" not in members_of(figures_of(_measured()), region="Meridian", peers=[])


def test_the_table_has_a_line_for_every_row() -> None:
    measured = _measured()
    head, *lines = table_of(figures_of(measured)).splitlines()
    assert "of bare" in head
    assert len(lines) == len(measured)


@pytest.mark.parametrize(
    ("get_ratio", "put_ratio", "slack", "missed"),
    [(0.60, 0.30, 0.0, 0), (0.59, 0.30, 0.0, 1), (0.59, 0.29, 0.0, 2), (0.49, 0.25, 0.2, 0), (0.47, 0.25, 0.2, 1)],
)
def test_ratios_are_held_to_their_aims(get_ratio: float, put_ratio: float, slack: float, missed: int) -> None:
    assert len(shortfalls({"get_ratio": get_ratio, "put_ratio": put_ratio}, slack=slack)) == missed
