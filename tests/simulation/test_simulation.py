"""Regions keep their promises through every storm, and a simulation that would not notice a broken one is no proof."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.__main__ import run
from tests.simulation.breakage import breakages
from tests.simulation.ledger import Violation

project = Path(__file__).parents[2]
fixed_seeds = 8
random_s = 4.0
seeds_until_noticed = 40  # the first that notices ends it


def simulation(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command line that replays a failure, so that what fails here fails there."""
    command = [sys.executable, "-m", "tests.simulation", *arguments]
    return subprocess.run(command, cwd=project, env={}, capture_output=True, text=True, check=False)


def test_promises_hold_in_the_storms_of_fixed_seeds() -> None:
    """Between them they go through everything that a run can meet with."""
    done = simulation("--first", "1", "--seeds", str(fixed_seeds))
    assert done.returncode == 0, done.stdout + done.stderr
    for what in ("acknowledged", "conflicts", "faults", "deaths", "resyncs", "tombstones", "expiries"):
        assert sum(map(int, re.findall(rf"{what}=(\d+)", done.stdout))) > 0, f"no run had {what}"


def test_promises_hold_in_storms_of_today() -> None:
    """Other seeds every time, for a few seconds; a failure names its seed."""
    done = simulation("--seeds", "1000", "--within", str(random_s))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("breakage", breakages)
def test_a_broken_rule_is_noticed(breakage: str) -> None:
    outcomes = (run(seed, breakage=breakage) for seed in range(1, 1 + seeds_until_noticed))
    assert any(isinstance(outcome, Violation) for outcome in outcomes)


def test_a_seed_replays_event_for_event() -> None:
    """Otherwise a failure could not be looked at again."""
    first, second = (simulation("--seed", "3", "--trace").stdout.splitlines()[:-1] for _ in range(2))
    assert len(first) > 500
    assert first == second
