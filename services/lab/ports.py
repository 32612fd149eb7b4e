"""Ports of the loopback interface: find free ones, and say who holds one that is needed."""

import random
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from textwrap import shorten

from shared.errors import OperatorError

loopback = "127.0.0.1"
_listening = "0A"
_lasting = range(20_000, 32_768)


def free_ports(count: int) -> list[int]:
    """Distinct ports that nobody uses at this moment.

    They lie below those that the system gives to outgoing connections, so that a program that was killed finds its
    port again when it comes back.
    """
    with ExitStack() as stack:
        free: list[int] = []
        for port in random.sample(_lasting, len(_lasting)):
            probe = stack.enter_context(socket.socket())
            with suppress(OSError):
                probe.bind((loopback, port))
                free.append(port)
            if len(free) == count:
                return free
    raise OperatorError(
        f"there are no {count} free ports",
        why=f"programs hold those from {_lasting.start} to {_lasting.stop - 1}",
        next_step="Stop some of them",
    )


def refuse_taken_ports(ports: Iterable[int], *, next_step: str) -> None:
    """Raises an `OperatorError` that names the first port in use and, where the system tells, by whom."""
    for port in ports:
        if not _is_free(port):
            raise OperatorError(
                f"port {port} is in use", why=holder_of(port) or "another program listens on it", next_step=next_step
            )


def holder_of(port: int) -> str | None:
    """`PROGRAM (pid N) listens on it`, or None if the system doesn't tell us."""
    inodes = set(_listening_inodes(port))
    for descriptors in Path("/proc").glob("[0-9]*/fd"):
        # Processes end meanwhile, and other users' descriptors are not ours to read.
        with suppress(OSError):
            if any(_socket_inode(descriptor) in inodes for descriptor in descriptors.iterdir()):
                return f"{_command(descriptors.parent)} (pid {descriptors.parent.name}) listens on it"
    return None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((loopback, port))
        except OSError:
            return False
        return True


def _listening_inodes(port: int) -> Iterator[str]:
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        with suppress(OSError):
            for line in table.read_text(encoding="ascii").splitlines()[1:]:
                columns = line.split()
                if columns[3] == _listening and int(columns[1].rpartition(":")[2], 16) == port:
                    yield columns[9]


def _socket_inode(descriptor: Path) -> str | None:
    try:
        target = str(descriptor.readlink())
    except OSError:
        return None
    return target[8:-1] if target.startswith("socket:[") else None


def _command(process: Path) -> str:
    words = (process / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    return shorten(" ".join(words), 100, placeholder=" …") or "a program"
