"""Ports: free ones are free, and whoever holds one is named."""

import os
import socket
import subprocess
import sys

import pytest

from services.lab.ports import free_ports, holder_of, loopback, refuse_taken_ports
from shared.errors import OperatorError


def test_free_ports_are_distinct_and_free() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    refuse_taken_ports(ports, next_step="")


def test_a_taken_port_is_named_with_its_holder_and_what_to_do() -> None:
    with socket.create_server((loopback, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OperatorError) as refused:
            refuse_taken_ports([*free_ports(1), port], next_step="Choose another")
    assert refused.value.what == f"port {port} is in use"
    assert f"(pid {os.getpid()})" in refused.value.why
    assert refused.value.next_step == "Choose another"


def test_a_long_command_line_is_cut_where_one_sees_it() -> None:
    program = (
        f"import socket, sys; listener = socket.create_server(('{loopback}', 0)); "
        "print(listener.getsockname()[1], flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, *["word"] * 50], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        holding = holder_of(int(holder.stdout.readline()))
        holder.communicate()
    assert holding is not None
    assert holding.endswith(f" … (pid {holder.pid}) listens on it")


def test_nobody_holds_a_free_port() -> None:
    assert holder_of(free_ports(1)[0]) is None
