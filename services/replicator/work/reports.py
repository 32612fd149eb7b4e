"""How a link stands, by table, in the words that people are shown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.replicator.io.port import CopyStage, LinkReport
from services.replicator.link.lag import frontier_lag_s, heartbeat_fresh_us
from services.replicator.work.follow import LinkFollower
from services.replicator.work.tallies import TableTally
from shared.clock import Clock

stuck_s = 10.0
_nothing_yet = TableTally()


class LinkStatus(StrEnum):
    FOLLOWING = "FOLLOWING"
    CATCHING_UP = "CATCHING_UP"  # what is missing comes from the source's change log
    STUCK = "STUCK"  # for a while there has been backlog and the frontier has not moved
    UNREACHABLE = "UNREACHABLE"  # the source's heartbeats don't arrive
    COPYING = "COPYING"
    NEEDS_RESYNC = "NEEDS_RESYNC"


@dataclass(slots=True)
class _Standing:
    status: LinkStatus
    frontier_lag_s: float | None
    backlog: int = 0


def link_reports(link: LinkFollower, clock: Clock) -> Sequence[LinkReport]:
    """One report a table. Costs little for tables at rest: only lanes that are behind are looked at one by one."""
    standings = _standings(link, clock)
    return [_report(link, table, standing, now=clock.monotonic_s()) for table, standing in standings.items()]


def _standings(link: LinkFollower, clock: Clock) -> dict[str, _Standing]:
    now, now_us = clock.monotonic_s(), clock.wall_us()
    age_us = now_us - link.lanes.heartbeat_us
    at_rest = _Standing(LinkStatus.FOLLOWING, 0.0)
    if age_us > heartbeat_fresh_us:
        at_rest = _Standing(LinkStatus.UNREACHABLE, age_us / 1e6)
    standings = {table: _Standing(at_rest.status, at_rest.frontier_lag_s) for table in _tables(link)}
    for lane in link.lanes.behind:
        standing, state = standings.get(link.lanes.table_of(lane)), link.lanes.states[lane]
        if standing is None:
            continue
        standing.backlog += state.backlog
        lag_s = frontier_lag_s(state, link.lanes.heartbeat_us, now_us=now_us)
        standing.frontier_lag_s = max(standing.frontier_lag_s or 0.0, lag_s)
        if standing.status in (LinkStatus.FOLLOWING, LinkStatus.CATCHING_UP):
            if state.backlog and now - state.still_since > stuck_s:
                standing.status = LinkStatus.STUCK
            elif state.filling:
                standing.status = LinkStatus.CATCHING_UP
    for owned in link.lanes.owned.values():
        if owned.stage is not CopyStage.FOLLOWING:
            standings[owned.table] = _Standing(LinkStatus(owned.stage), None)
    return standings


def _tables(link: LinkFollower) -> Iterable[str]:
    return dict.fromkeys(owned.table for owned in link.lanes.owned.values())


def _report(link: LinkFollower, table: str, standing: _Standing, *, now: float) -> LinkReport:
    tally = link.tally.tables.get(table, _nothing_yet)
    p50, p99 = tally.lag.percentiles(now=now) or (None, None)
    return LinkReport(
        source=link.source,
        table=table,
        state=standing.status,
        frontier_lag_s=standing.frontier_lag_s,
        change_lag_p50_s=p50,
        change_lag_p99_s=p99,
        backlog=standing.backlog,
        applied=tally.applied,
        superseded=tally.superseded,
        duplicate=tally.duplicate,
        conflicts=tally.conflicts,
        dead_letters=tally.dead_letters,
        resyncs=tally.resyncs,
        error=link.own_region_problem or link.problem,
    )
