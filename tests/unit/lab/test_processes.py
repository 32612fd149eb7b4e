"""Child processes: started, stopped with patience, and never confused with somebody else's."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from services.lab.processes import ChildProcess, ProcessIdentity, stop_orphans

forever = "import signal; print('ready', flush=True); signal.pause()"
stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + forever


@pytest.fixture
def children(tmp_path: Path) -> Iterator[list[ChildProcess]]:
    """Filled by `run`; whatever is left is killed."""
    children: list[ChildProcess] = []
    yield children
    for child in children:
        child.kill()


def run(program: str, children: list[ChildProcess], tmp_path: Path) -> ChildProcess:
    """A child that has said `ready`."""
    child = ChildProcess([sys.executable, "-c", program], log=tmp_path / "child.log")
    children.append(child)
    child.start()
    while not child.log_text().endswith("\n"):
        assert child.exit_code in (None, 0), child.log_text()
        os.sched_yield()
    return child


def test_a_child_ends_when_asked(children: list[ChildProcess], tmp_path: Path) -> None:
    child = run(forever, children, tmp_path)
    (identity,) = identities_of([child])
    child.stop()
    assert not identity.is_alive
    assert child.pid is None
    assert child.exit_code == -15


def test_a_child_that_does_not_listen_is_killed(children: list[ChildProcess], tmp_path: Path) -> None:
    child = run(stubborn, children, tmp_path)
    child.stop(grace_s=0.05)
    assert child.exit_code == -9


def test_stopping_twice_or_before_the_start_is_no_error(children: list[ChildProcess], tmp_path: Path) -> None:
    child = ChildProcess([sys.executable, "-c", forever], log=tmp_path / "child.log")
    child.stop()
    child.kill()
    assert child.exit_code is None
    assert child.log_text() == ""


def test_a_log_is_private_and_each_run_knows_its_own_part(children: list[ChildProcess], tmp_path: Path) -> None:
    first = run("print('ready 1')", children, tmp_path)
    first.stop()
    second = run("print('ready 2')", children, tmp_path)
    assert second.log_text() == "ready 2\n"
    assert second.log.read_text(encoding="utf-8") == "ready 1\nready 2\n"
    assert second.log.stat().st_mode & 0o777 == 0o600


def test_an_identity_is_alive_only_while_that_process_is(children: list[ChildProcess], tmp_path: Path) -> None:
    child = run(forever, children, tmp_path)
    (identity,) = identities_of([child])
    assert identity.is_alive
    assert not ProcessIdentity(identity.pid, "another-start").is_alive
    child.kill()
    assert not identity.is_alive


def test_a_process_that_has_ended_and_was_not_reaped_is_not_alive() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert ended.stdout is not None
    ended.stdout.read()
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    assert ProcessIdentity.of(ended.pid) is None
    ended.communicate()


@pytest.mark.parametrize("program", [forever, stubborn])
def test_orphans_are_stopped(children: list[ChildProcess], tmp_path: Path, program: str) -> None:
    child = run(program, children, tmp_path)
    identities = identities_of([child])
    assert stop_orphans(identities, grace_s=0.2) == [identities[0].pid]
    assert child.pid is None


def test_a_process_that_merely_has_an_orphans_pid_is_left_alone(children: list[ChildProcess], tmp_path: Path) -> None:
    child = run(forever, children, tmp_path)
    (identity,) = identities_of([child])
    assert stop_orphans([ProcessIdentity(identity.pid, "another-start")]) == []
    assert identity.is_alive


def identities_of(children: Sequence[ChildProcess]) -> list[ProcessIdentity]:
    found = [ProcessIdentity.of(child.pid) for child in children if child.pid is not None]
    return [identity for identity in found if identity is not None]
