"""The command line: help for newcomers, three lines for errors, and no more code loaded than needed."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from services.lab.cli import main

lab_commands = ("up", "down", "status", "compare", "load", "cut", "heal", "kill", "start")


def test_without_a_command_it_says_how_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "meridian lab up" in capsys.readouterr().err
    assert main(["--help"]) == 0
    assert "meridian lab up" in capsys.readouterr().out


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["labs"]) == 2
    assert "'labs'" in capsys.readouterr().err


def test_the_labs_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["lab", "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert all(f"    {command} " in text for command in lab_commands)


@pytest.mark.parametrize("command", lab_commands)
def test_every_lab_command_explains_itself_and_takes_a_folder(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["lab", command, "--help"])
    assert ended.value.code == 0
    assert "--data DIR" in capsys.readouterr().out


@pytest.mark.parametrize(
    "argv",
    [
        ["cut"],
        ["status", "--compose", "--data", "elsewhere"],
        ["load", "--rate", "0"],
        ["load", "--seconds", "never"],
        ["load", "--conflicts", "101"],
        ["up", "--feed", "pigeon"],
        ["up", "--base-port", "99999"],
        ["up", "--regions", ","],
        ["up", "--regions", "a,a"],
        ["up", "--regions", "a b,c"],
        ["fly"],
        [],
    ],
)
def test_a_wrong_command_line_ends_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["lab", *argv])
    assert ended.value.code == 2
    assert "usage: meridian lab" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["down"], ["status"], ["compare"], ["load"]])
def test_where_there_is_no_lab_the_three_lines_say_so(
    argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lab", *argv, "--data", str(tmp_path)]) == 1
    what, why, next_step = capsys.readouterr().err.splitlines()
    assert what == f"meridian: there is no lab in {tmp_path}"
    assert why.strip().startswith("why: ")
    assert "meridian lab up" in next_step


@pytest.mark.parametrize("argv", [["cut", "a", "b"], ["heal"], ["kill", "a"], ["start", "a"]])
def test_commands_for_a_running_lab_say_that_there_is_none(
    argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lab", *argv, "--data", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert f"no lab runs in {tmp_path}" in error
    assert "Errno" not in error


def test_a_full_disk_is_named_wherever_it_strikes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path))

    monkeypatch.setattr(Path, "mkdir", full)
    assert main(["lab", "up", "--data", str(tmp_path / "new")]) == 1
    assert "the disk is full" in capsys.readouterr().err


def test_a_file_in_place_of_a_folder_is_called_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.touch()
    for data in (file, file / "inside"):
        assert main(["lab", "up", "--data", str(data)]) == 1
        assert "a file stands where a folder is needed" in capsys.readouterr().err


def test_a_disk_that_is_nearly_full_is_refused_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("services.lab.supervisor.free_bytes_min", 1 << 62)
    assert main(["lab", "up", "--data", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "is full" in error
    assert "--data" in error


def test_missing_java_is_named_with_its_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["lab", "up", "--feed", "kafka", "--data", str(tmp_path)]) == 1
    assert "apt-get install default-jre-headless maven" in capsys.readouterr().err


def test_choosing_a_service_loads_nothing_of_the_others() -> None:
    """A region must answer soon after its start; the command's own imports are part of that."""
    program = "import sys, services.lab.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"asyncio", "argparse", "httptools", "orjson", "structlog", "uvloop", "services.lab.commands"}
