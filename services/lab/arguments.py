"""The command line of `meridian lab`, with help that needs no other page."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from services.lab.layout import default_folder
from services.lab.load import table_name
from services.lab.record import default_base_port, default_feed, default_regions
from shared.settings import port_number
from shared.topology import region_name

T = TypeVar("T")

_description = """\
A lab is three regions and their replicators as processes of this machine, with the network between them in your
hands: cut links, kill processes, and watch every region end up with the same items.

Start with `meridian lab up` in one terminal, and use the other commands in a second one.
"""
_epilog = """\
examples:
  meridian lab up --detach
  meridian lab load --seconds 30 --conflicts 20
  meridian lab cut us-east-1 eu-west-1 --for 10
  meridian lab kill replicator:eu-west-1
  meridian lab compare
"""


def lab_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "meridian lab",
        description=_description,
        epilog=_epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_up(commands)
    _add(commands, "down", "stop the lab, wherever it was started; its data is kept")
    _with_json(_add_shared(commands, "status", "show regions, replicators, and how far behind each link is"))
    _add_compare(commands)
    _add_load(commands)
    _add_cut(commands)
    _add_shared(commands, "heal", "heal all links that are cut")
    _add_process(commands, "kill", "end a process at once, as a crash does (kill -9)")
    _add_process(commands, "start", "start a process again that was killed or ended, and wait until it is ready")
    return parser


def _add(commands: Any, name: str, text: str) -> argparse.ArgumentParser:
    parser = _parser(commands, name, text)
    _add_folder(parser)
    return parser


def _add_shared(commands: Any, name: str, text: str) -> argparse.ArgumentParser:
    """A command for a lab of processes and for one of containers alike."""
    parser = _parser(commands, name, text)
    place = parser.add_mutually_exclusive_group()
    _add_folder(place)
    place.add_argument(
        "--compose", action="store_true", help="the lab that `docker compose` runs from compose.yaml in this folder"
    )
    return parser


def _parser(commands: Any, name: str, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=f"{text[0].upper()}{text[1:]}.", allow_abbrev=False
    )
    return parser


def _add_folder(parser: Any) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        default=default_folder,
        metavar="DIR",
        help="folder of the lab: data, logs, lab.json with endpoints and credentials (default: %(default)s)",
    )


def _with_json(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    return parser


def _add_up(commands: Any) -> None:
    parser = _add(commands, "up", "start a lab, or take over the data of an earlier one; Ctrl-C stops it")
    remembered = "default: as the last time in this folder, at first"
    parser.add_argument(
        "--feed",
        choices=("embedded", "kafka"),
        help=f"what carries changes between regions; kafka starts one broker per region and needs Java "
        f"({remembered} {default_feed})",
    )
    parser.add_argument(
        "--base-port",
        type=_port,
        metavar="PORT",
        help="regions listen on the ports after this one, replicators on those after this one plus 100 "
        f"({remembered} {default_base_port})",
    )
    parser.add_argument(
        "--regions",
        type=_names,
        metavar="NAME,...",
        help=f"names of the regions ({remembered} {','.join(default_regions)})",
    )
    parser.add_argument(
        "--detach", action="store_true", help="return as soon as the lab is ready, and leave it running"
    )
    _with_json(parser)


def _add_compare(commands: Any) -> None:
    parser = _add_shared(
        commands, "compare", "prove that the regions hold the same items, or name the keys that differ"
    )
    parser.epilog = "Exit code: 0 equal, 1 different. Writes that are still on their way count as a difference."
    parser.add_argument("--table", metavar="T", help="only this table (default: all that have several replicas)")
    _with_json(parser)


def _add_load(commands: Any) -> None:
    parser = _add_shared(commands, "load", "write in every region at a steady rate, and measure latency and lag")
    parser.epilog = f"The writes go to the table {table_name}, which is made with a replica in every region."
    parser.add_argument(
        "--rate", type=_positive, default=100.0, metavar="N", help="writes a second in each region (default: 100)"
    )
    parser.add_argument("--seconds", type=_positive, default=10.0, metavar="S", help="how long to write (default: 10)")
    parser.add_argument(
        "--conflicts",
        type=_percent,
        default=1.0,
        metavar="PCT",
        help="percentage of writes to a few items that all regions write (default: 1)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        metavar="N",
        help="the same seed gives the same writes (default: a new one, which is printed)",
    )
    _with_json(parser)


def _add_cut(commands: Any) -> None:
    parser = _add_shared(commands, "cut", "cut the links between regions: packets are swallowed, nobody is told")
    parser.epilog = "Clients of the regions are not affected; `meridian lab heal` heals all cuts."
    parser.add_argument("source", metavar="A", help="a region")
    parser.add_argument("target", metavar="B", nargs="?", help="another region; without it, A is cut off from all")
    parser.add_argument(
        "--one-way", action="store_true", help="only what B's replicator reads from A; by default both directions"
    )
    parser.add_argument("--for", type=_positive, dest="for_s", metavar="S", help="heal by itself after so many seconds")


def _add_process(commands: Any, name: str, text: str) -> None:
    parser = _add_shared(commands, name, text)
    parser.add_argument(
        "process", metavar="PROCESS", help="REGION, replicator:REGION, or with the Kafka feed kafka:REGION"
    )


def _port(text: str) -> int:
    return _checked(port_number, text)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(_checked(region_name, name.strip()) for name in text.split(",") if name.strip())
    if not names:
        raise argparse.ArgumentTypeError("name at least one region")
    if len(set(names)) < len(names):
        raise argparse.ArgumentTypeError("a name occurs twice")
    return names


def _positive(text: str) -> float:
    value = _checked(float, text)
    if not 0 < value < 1_000_000:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and a million")
    return value


def _percent(text: str) -> float:
    value = _checked(float, text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 100")
    return value


def _checked(parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
