"""Status as people read it: aligned, in words, with what is cut."""

from services.lab.status import LabStatus, describe, links_of
from services.lab.text import aligned, duration

link = {
    "source": "a",
    "target": "b",
    "table": "t",
    "state": "FOLLOWING",
    "frontier_lag_s": 0.0,
    "change_lag_p50_s": 0.0123,
    "change_lag_p99_s": None,
    "backlog": 0,
}
up = {"region": "a", "endpoint": "http://h:1", "pid": 1, "ready": True, "tables": 12}
down = {"region": "b", "endpoint": "http://h:2", "pid": None, "ready": False, "tables": None}


def test_regions_replicators_and_links_are_described() -> None:
    status = LabStatus(
        regions=[up, down],
        replicators=[{"region": "a", "pid": 3, "ready": False}, {"region": "b", "pid": 4, "ready": True}],
        brokers=[],
        links=[link, {**link, "table": ""}],
        cuts=[{"source": "a", "target": "b", "heals_in_s": 4.0}],
    )
    regions, links, cuts = describe(status).split("\n\n")
    assert regions.splitlines()[1].split() == ["a", "http://h:1", "ready", "1", "12", "not", "ready", "3"]
    assert regions.splitlines()[2].split() == ["b", "http://h:2", "down", "–", "–", "ready", "4"]
    assert "(definitions)" in links.splitlines()[1]
    words = ["a", "->", "b", "t", "FOLLOWING,", "cut", "0", "ms", "12", "ms", "–", "0"]
    assert links.splitlines()[2].split() == words
    assert cuts == "a -> b is cut for another 4.0 s"


def test_a_broker_that_was_killed_is_seen() -> None:
    brokers: list[dict[str, object]] = [{"region": "b", "pid": None}, {"region": "a", "pid": 7}]
    status = LabStatus(regions=[up, down], replicators=[], brokers=brokers, links=[], cuts=[])
    header, first, second = describe(status).splitlines()
    assert header.split()[-2:] == ["KAFKA", "PID"]
    assert first.split()[-2:] == ["running", "7"]
    assert second.split()[-2:] == ["down", "–"]


def test_a_backlog_is_the_sources_where_the_target_can_not_know_it() -> None:
    cut_off = {**link, "state": "UNREACHABLE", "frontier_lag_s": 7.0, "backlog": 1}
    links = links_of(
        [
            {"region": "a", "links": [], "followers": [_follower("b", "t", 50), _follower("c", "t", 60)]},
            {"region": "b", "links": [cut_off, {**cut_off, "table": "u"}, {**link, "source": "c"}], "followers": []},
        ]
    )
    assert [(each["source"], each["target"], each["table"], each["state"], each["backlog"]) for each in links] == [
        ("a", "b", "t", "UNREACHABLE", 50),
        ("a", "b", "u", "UNREACHABLE", 1),
        ("c", "b", "t", "FOLLOWING", 0),
        ("a", "c", "t", "UNKNOWN", 60),
    ]


def _follower(target: str, table: str, unapplied: int) -> dict[str, object]:
    return {"target": target, "table": table, "unapplied": unapplied, "oldest_age_s": 1.0}


def test_columns_are_as_wide_as_their_widest_cell_and_numbers_stand_right() -> None:
    assert aligned(("A", "COUNT"), [("long name", "7"), ("b", "12345678")]).splitlines() == [
        "A          COUNT",
        "long name         7",
        "b          12345678",
    ]


def test_durations_have_the_unit_that_fits() -> None:
    assert [duration(value) for value in (None, 0.0, 0.25, 1.5, 600)] == ["–", "0 ms", "250 ms", "1.5 s", "10 min"]
