"""The simulation's command line: one seed with its trace, or many.

python -m tests.simulation --seed 42 --trace
python -m tests.simulation --seeds 1000
"""

import argparse
import os
import random
import sys
import time

from tests.simulation.breakage import breakages, broken
from tests.simulation.ledger import Violation
from tests.simulation.storm import Storm
from tests.simulation.world import Note, Report, simulate

storm_s = 20.0


def _keep_quiet(_time_s: float, _what: object) -> None: ...


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    seeds = [options.seed] if options.seed is not None else _seeds(options)
    started_s, failures, runs = time.monotonic(), 0, 0
    for seed in seeds:
        if options.within is not None and time.monotonic() - started_s > options.within:
            break
        runs += 1
        report = run(seed, breakage=options.breaking, note=_print if options.trace else _keep_quiet)
        if isinstance(report, Report):
            print(f"seed {seed} held: {report}")
            continue
        failures += 1
        print(f"seed {seed} failed: {report}", flush=True)
        print(f"replay: {replay(seed, options.breaking)} --trace", flush=True)
        if not options.keep_going:
            break
    print(f"{runs} runs, {failures} failed, {time.monotonic() - started_s:.1f} s")
    return 1 if failures else 0


def run(seed: int, *, breakage: str | None = None, note: Note = _keep_quiet) -> Report | Violation:
    with broken(breakage):
        try:
            return simulate(seed, Storm, weather_s=storm_s, note=note)
        except Violation as violation:
            return violation


def replay(seed: int, breakage: str | None) -> str:
    broken_too = "" if breakage is None else f" --break {breakage}"
    return f"python -m tests.simulation --seed {seed}{broken_too}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--seed", type=int, help="run this one")
    which.add_argument("--seeds", type=int, default=100, help="run so many (100)")
    parser.add_argument("--first", type=int, help="the first of the seeds; otherwise by chance")
    parser.add_argument("--within", type=float, metavar="SECONDS", help="begin no run after that")
    parser.add_argument("--trace", action="store_true", help="print everything that happens")
    parser.add_argument("--keep-going", action="store_true", help="run all seeds, also after a failure")
    parser.add_argument("--break", dest="breaking", choices=sorted(breakages), help="break a rule on purpose")
    return parser


def _seeds(options: argparse.Namespace) -> range:
    first = random.SystemRandom().randrange(1_000_000_000) if options.first is None else options.first
    return range(first, first + options.seeds)


def _print(time_s: float, what: object) -> None:
    print(f"{time_s:9.4f} {what}")


if __name__ == "__main__":
    if sys.flags.hash_randomization:
        # Sets of strings and bytes have another order in every process unless the hash seed is fixed.
        command = [sys.executable, "-m", "tests.simulation", *sys.argv[1:]]
        os.execve(sys.executable, command, {"PYTHONHASHSEED": "0"})
    sys.exit(main(sys.argv[1:]))
