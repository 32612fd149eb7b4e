"""The workload: repeatable, and as contended as asked."""

from itertools import islice

import pytest

from services.lab.load import percentile
from services.lab.workload import Workload, Write


def writes(*, seed: int, region: str = "a", conflict_percent: float = 10, count: int = 2000) -> list[Write]:
    return list(islice(Workload("t", seed, conflict_percent).of_region(region), count))


def key_of(write: Write) -> str:
    attributes = write.parameters["Item"] if write.operation == "PutItem" else write.parameters["Key"]
    key: str = attributes["id"]["S"]
    return key


def test_the_same_seed_gives_the_same_writes() -> None:
    assert writes(seed=1) == writes(seed=1)
    assert writes(seed=1) != writes(seed=2)
    assert writes(seed=1) != writes(seed=1, region="b")


@pytest.mark.parametrize(("percent", "least", "most"), [(0, 0, 0), (100, 2000, 2000), (10, 120, 280)])
def test_the_share_of_hot_items_is_as_asked(percent: float, least: int, most: int) -> None:
    hot = sum(key_of(write).startswith("hot-") for write in writes(seed=3, conflict_percent=percent))
    assert least <= hot <= most


def test_regions_meet_on_hot_items_only() -> None:
    own = [{key_of(write) for write in writes(seed=4, region=region)} for region in ("a", "b")]
    assert {key[:4] for key in own[0] & own[1]} == {"hot-"}


def test_all_kinds_of_writes_occur() -> None:
    assert {write.operation for write in writes(seed=5)} == {"PutItem", "UpdateItem", "DeleteItem"}


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert percentile(values, 50) == 50
    assert percentile(values, 99) == 99
    assert percentile([7.0], 99) == 7
    assert percentile([1.0, 2.0], 99) == 2
    assert percentile([], 50) is None
