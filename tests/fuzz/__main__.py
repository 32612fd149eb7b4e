"""The fuzz's command line: one seed against a region of this checkout, or its requests alone.

python -m tests.fuzz --seed 42 --seconds 60
python -m tests.fuzz --seed 42 --show 100
"""

import argparse
import json
import random
import sys
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.campaign import connections, logged_traces, prepare, requests_of, run, still_serves
from tests.rest.region_process import running_region


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    seed = random_seed() if options.seed is None else options.seed
    if options.show is not None:
        _show(seed, options.show)
        return 0
    with TemporaryDirectory() as folder, running_region(Path(folder)) as url:
        prepare(url)
        report = run(url, seed=seed, seconds=options.seconds)
        for failure in report.failures:
            print(failure)
        print(f"seed {seed}: {report}")
        if report.failures or not still_serves(url):
            raise SystemExit(logged_traces(Path(folder) / "log"))
    return 0


def random_seed() -> int:
    return random.SystemRandom().randrange(1_000_000_000)


def _show(seed: int, count: int) -> None:
    for connection in connections:
        for number, request in enumerate(islice(requests_of(seed, connection), count)):
            print(f"connection {connection}, request {number}, {request.target}: {json.dumps(request.body)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, help="of the requests; otherwise by chance")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long requests are sent (60)")
    parser.add_argument("--show", type=int, metavar="COUNT", help="print so many of each connection, and send none")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
