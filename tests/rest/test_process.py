"""The process of a region: whose data it is, where it listens, and what it says to the person who starts it."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.rest.region_process import free_port, running_region


def test_a_second_process_does_not_get_the_data_of_a_running_one(tmp_path: Path) -> None:
    with running_region(tmp_path):
        data = tmp_path / "data"
        second = _run("services.region", "--data", str(data), "--port", str(free_port()))
    assert second.returncode == 1
    assert second.stderr.strip() == (
        f"meridian region: the data in {data} is in use: another region process holds it. "
        "Stop that process, or give another --data"
    )


def test_the_data_is_free_again_when_its_process_has_ended(tmp_path: Path) -> None:
    with running_region(tmp_path) as endpoint:
        assert httpx.get(f"{endpoint}/livez").status_code == 200
    with running_region(tmp_path) as endpoint:
        assert httpx.get(f"{endpoint}/readyz").json()["ready"]


@pytest.mark.parametrize(
    ("flags", "what"),
    [
        (["--host", "0.0.0.0"], "region us-east-1 does not listen on 0.0.0.0"),
        (["--region", "a b"], "--region a b can't be used"),
        (["--port", "0"], "--port 0 can't be used"),
        (["--data", "/proc/nowhere"], "the system refuses /proc/nowhere"),
    ],
)
def test_what_it_refuses_is_told_in_three_lines(flags: list[str], what: str, tmp_path: Path) -> None:
    words = ["services.lab.cli", "region", "--data", str(tmp_path), "--port", str(free_port())]
    refused = _run(*words, *flags)
    assert refused.returncode == 1
    lines = refused.stderr.splitlines()
    assert lines[0] == f"meridian: {what}"
    assert [line[:10] for line in lines[1:]] == ["     why: ", "    next: "]


def _run(module: str, *flags: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", module, *flags]
    return subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)
