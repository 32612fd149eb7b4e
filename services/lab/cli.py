"""The command `meridian`: one word chooses a service, and only that service's code is loaded.

Errors that the reader can mend are told in three lines, with exit code 1; a wrong command line ends with 2.
"""

import errno
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module

from shared.errors import OperatorError

_entries = {
    "region": "services.region.__main__",
    "replicator": "services.replicator.__main__",
    "lab": "services.lab.commands",
}

_usage = """\
usage: meridian lab COMMAND ...       three regions on this machine: start, watch, load, break and compare them
       meridian region FLAG ...       one region; alone it is a complete local DynamoDB
       meridian replicator FLAG ...   follows the other regions for one region

DynamoDB tables that live in several regions at once. To begin:

  meridian lab up                     start a lab, Ctrl-C stops it; data is kept in .meridian
  meridian lab --help                 what can be done with a lab
  meridian region --help              every setting of a region
"""


def main(argv: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help"):
        print(_usage, end="", file=sys.stdout if words else sys.stderr)
        return 0 if words else 2
    if words[0] not in _entries:
        print(f"meridian: there is no command {words[0]!r}\n\n{_usage}", end="", file=sys.stderr)
        return 2
    return _run(words[0], words[1:])


def _run(command: str, argv: list[str]) -> int:
    try:
        # Loaded by name when chosen: a region must not pay for the lab's imports before it answers.
        code: int = import_module(_entries[command]).main(argv)
        sys.stdout.flush()
        return code
    except OperatorError as error:
        return _tell(error)
    except BrokenPipeError:
        # Who read our output has gone, as `head` does; nothing may be flushed to it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        return _tell(_for_operators(error))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _tell(error: OperatorError) -> int:
    print(f"meridian: {error.what}\n     why: {error.why}\n    next: {error.next_step}", file=sys.stderr)
    return 1


def _for_operators(error: OSError) -> OperatorError:
    place = error.filename or "a file"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        next_step = "Free some space, or use a folder on another disk with --data"
        return OperatorError("the disk is full", why=f"{place} can't be written", next_step=next_step)
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        next_step = "Name a folder, or a place where one can be made"
        return OperatorError(
            f"{place} can't be used", why="a file stands where a folder is needed", next_step=next_step
        )
    return OperatorError(
        f"the system refuses {place}",
        why=error.strerror or str(error),
        next_step="Check that it exists and is yours, or name another one",
    )


if __name__ == "__main__":
    sys.exit(main())
