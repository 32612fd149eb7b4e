"""Runs work in a process of its own that outlives the terminal, and returns as soon as that work says so."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import orjson

from services.lab.layout import open_private
from shared.errors import OperatorError


def run_detached(work: Callable[[Callable[[], None]], None], *, log: Path) -> None:
    """Calls `work(ready)` in a daemon whose output goes to `log`; returns when it calls `ready`.

    Raises the `OperatorError` that `work` raises before that.
    """
    reading, writing = os.pipe()
    daemon = os.fork()
    if daemon == 0:
        os.close(reading)
        _be_daemon(work, writing, log)
    os.close(writing)
    line = _await_report(reading, daemon)
    document = orjson.loads(line) if line else _died(log)
    if document is not None:
        raise OperatorError(document["what"], why=document["why"], next_step=document["next_step"])


def _be_daemon(work: Callable[[Callable[[], None]], None], writing: int, log: Path) -> NoReturn:
    code = 1
    try:
        os.setsid()
        _redirect(log)
        work(lambda: _report(writing, None))
        code = 0
    except BaseException as error:  # noqa: BLE001  # nothing stands above us
        traceback.print_exc()
        if isinstance(error, OperatorError):
            with suppress(OSError):  # it was ready long ago, and nobody listens
                _report(writing, {"what": error.what, "why": error.why, "next_step": error.next_step})
    finally:
        sys.stderr.flush()
        os._exit(code)


def _await_report(reading: int, daemon: int) -> bytes:
    with os.fdopen(reading, "rb") as report:
        try:
            return report.readline()
        except KeyboardInterrupt:
            os.kill(daemon, signal.SIGTERM)
            raise


def _redirect(log: Path) -> None:
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open_private(log, "ab") as output, open(os.devnull, "rb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)


def _report(writing: int, document: dict[str, str] | None) -> None:
    os.write(writing, orjson.dumps(document) + b"\n")
    os.close(writing)


def _died(log: Path) -> dict[str, str]:
    why = "its supervisor ended before it was ready"
    return {"what": "the lab did not start", "why": why, "next_step": f"Read {log}"}
