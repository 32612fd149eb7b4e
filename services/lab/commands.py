"""`meridian lab …`: what a person can do with a lab of several regions on one machine."""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Callable, Sequence

import orjson

from services.lab import compare, load, status
from services.lab.arguments import lab_parser
from services.lab.compose_lab import ComposeLab
from services.lab.control import ask, is_answering
from services.lab.detach import run_detached
from services.lab.layout import LabFolder
from services.lab.local_lab import LocalLab
from services.lab.processes import stop_grace_s, stop_orphans
from services.lab.record import LabRecord, LabRequest, document_of, existing_record
from services.lab.supervisor import supervise
from services.lab.welcome import farewell, welcome
from shared.errors import OperatorError
from shared.telemetry import configure_logging

_down_patience_s = 3 * stop_grace_s

Lab = LocalLab | ComposeLab


def main(argv: Sequence[str] | None = None) -> int:
    arguments = lab_parser().parse_args(argv)
    folder = LabFolder(arguments.data.absolute())
    if arguments.command in _lifecycle:
        return _lifecycle[arguments.command](folder, arguments)
    lab = ComposeLab.find() if arguments.compose else LocalLab(folder)
    return _actions[arguments.command](lab, arguments)


def _up(folder: LabFolder, arguments: argparse.Namespace) -> int:
    request = LabRequest(arguments.feed, arguments.base_port, arguments.regions)
    if sys.stderr.isatty():
        print(f"Starting a lab in {folder.path} …", file=sys.stderr)
    if arguments.detach:
        run_detached(lambda ready: _supervise(folder, request, lambda _: ready()), log=folder.log("lab"))
        _tell(existing_record(folder), folder, arguments)
    else:
        _supervise(folder, request, lambda ready: _tell(ready, folder, arguments))
        if not arguments.json:
            print(farewell(folder))
    return 0


def _supervise(folder: LabFolder, request: LabRequest, on_ready: Callable[[LabRecord], None]) -> None:
    configure_logging("lab")
    supervise(folder, request, on_ready)


def _down(folder: LabFolder, _arguments: argparse.Namespace) -> int:
    known = existing_record(folder)
    if is_answering(folder):
        ask(folder, "down")
        _await_end(known, folder)
        print(farewell(folder))
        return 0
    left = stop_orphans(known.identities)
    print(f"The lab was not running; {len(left)} processes that it had left were stopped." if left else "No lab runs.")
    return 0


def _status(lab: Lab, arguments: argparse.Namespace) -> int:
    found = asyncio.run(status.read_status(lab.record(), cuts=lab.cuts()))
    if arguments.json:
        _print_json(status.document_of(found))
        return 0
    print(status.describe(found))
    if not lab.has_supervisor():
        print("\nThis lab has no supervisor: start it, or take over what still runs, with meridian lab up.")
    return 0


def _compare(lab: Lab, arguments: argparse.Namespace) -> int:
    comparisons = asyncio.run(compare.compare(lab.record(), table=arguments.table))
    _print_json(compare.document_of(comparisons)) if arguments.json else print(compare.describe(comparisons))
    return 0 if all(each.is_equal for each in comparisons) else 1


def _load(lab: Lab, arguments: argparse.Namespace) -> int:
    seed = random.randrange(1_000_000) if arguments.seed is None else arguments.seed
    request = load.LoadRequest(arguments.rate, arguments.seconds, arguments.conflicts, seed)
    summary = asyncio.run(load.load(lab.record(), request))
    _print_json(load.document_of(summary)) if arguments.json else print(load.describe(summary))
    return 0


def _cut(lab: Lab, arguments: argparse.Namespace) -> int:
    for cut in lab.cut(arguments.source, arguments.target, one_way=arguments.one_way, for_s=arguments.for_s):
        print(f"{cut['source']} -> {cut['target']} is cut")
    return 0


def _heal(lab: Lab, _arguments: argparse.Namespace) -> int:
    healed = lab.heal()
    for link in healed:
        print(f"{link['source']} -> {link['target']} is healed")
    if not healed:
        print("No link was cut.")
    return 0


def _kill(lab: Lab, arguments: argparse.Namespace) -> int:
    done = lab.kill(arguments.process)
    print(f"{done['process']} {'is killed' if done['was_running'] else 'was not running'}")
    return 0


def _start(lab: Lab, arguments: argparse.Namespace) -> int:
    done = lab.start(arguments.process)
    print(f"{done['process']} {'was running' if done['was_running'] else 'is ready'}")
    return 0


def _tell(ready: LabRecord, folder: LabFolder, arguments: argparse.Namespace) -> None:
    if arguments.json:
        _print_json(document_of(ready))
    else:
        print(welcome(ready, folder, is_detached=arguments.detach), flush=True)


def _print_json(document: object) -> None:
    print(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode(), flush=True)


def _await_end(known: LabRecord, folder: LabFolder) -> None:
    deadline = time.monotonic() + _down_patience_s
    while known.supervisor is not None and known.supervisor.is_alive:
        if time.monotonic() > deadline:
            raise OperatorError(
                "the lab does not stop",
                why=f"its supervisor (pid {known.supervisor.pid}) still runs after {_down_patience_s:g} s",
                next_step=f"Read {folder.log('lab')}, or end it with: kill -9 {known.supervisor.pid}",
            )
        time.sleep(0.02)


_lifecycle = {"up": _up, "down": _down}
_actions = {
    "status": _status,
    "compare": _compare,
    "load": _load,
    "cut": _cut,
    "heal": _heal,
    "kill": _kill,
    "start": _start,
}
