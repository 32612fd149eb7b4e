"""Settings: flags before variables before defaults, and nothing that is not understood goes unnoticed."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.errors import OperatorError
from shared.settings import (
    Settings,
    cache_folder,
    child_environment,
    load,
    one_of,
    port_number,
    read_secret,
    seconds,
    setting,
    switch,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleSettings(Settings):
    """A service for this test."""

    port: int = setting("port to listen on", parse=port_number)
    feed: str = setting("what carries changes", parse=one_of("embedded", "kafka"), default="embedded")
    delay_s: float = setting("how long to wait", parse=seconds, default=0.5)
    allow_remote: bool = switch("listen on any address")

    def check(self) -> None:
        if self.feed == "kafka" and not self.allow_remote:
            raise OperatorError("the settings can't be used", why="they contradict each other", next_step="Choose")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "FEED", "DELAY_S", "ALLOW_REMOTE", "CACHE"):
        monkeypatch.delenv(f"MERIDIAN_{name}", raising=False)


def loaded(*flags: str) -> ExampleSettings:
    return load(ExampleSettings, flags, program="example")


def test_flags_come_before_variables_and_variables_before_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERIDIAN_PORT", "1000")
    monkeypatch.setenv("MERIDIAN_DELAY_S", "2")
    assert loaded("--port", "2000") == ExampleSettings(port=2000, feed="embedded", delay_s=2.0, allow_remote=False)


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), ("on", True), ("YES", True), ("0", False), ("off", False)]
)
def test_a_switch_is_a_flag_or_a_word(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    assert loaded("--port", "1", "--allow-remote").allow_remote
    monkeypatch.setenv("MERIDIAN_ALLOW_REMOTE", value)
    assert loaded("--port", "1").allow_remote is expected


def test_a_required_setting_is_asked_for() -> None:
    with pytest.raises(OperatorError, match=r"--port is missing.*MERIDIAN_PORT"):
        loaded()


@pytest.mark.parametrize(
    "flags",
    [
        ["--port", "0"],
        ["--port", "65536"],
        ["--port", "eighty"],
        ["--port", "\u0661"],
        ["--port", "1", "--feed", "other"],
        ["--port", "1", "--delay-s", "-1"],
        ["--port", "1", "--delay-s", "nan"],
        ["--port", "1", "--delay-s", "inf"],
        ["--port", "1", "--feed", "kafka"],
    ],
)
def test_values_that_cannot_be_are_refused(flags: list[str]) -> None:
    with pytest.raises(OperatorError, match="can't be used"):
        loaded(*flags)


def test_a_variable_that_is_no_setting_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERIDIAN_PROT", "1")
    with pytest.raises(OperatorError, match=r"MERIDIAN_PROT is not understood.*Did you mean MERIDIAN_PORT\?"):
        loaded("--port", "1")


@pytest.mark.parametrize(("flags", "code"), [(["--unknown"], 2), (["--por", "1"], 2), (["--help"], 0)])
def test_unknown_and_shortened_flags_end_the_process(flags: list[str], code: int) -> None:
    with pytest.raises(SystemExit) as end:
        loaded(*flags)
    assert end.value.code == code


def test_children_get_no_settings_by_their_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERIDIAN_PORT", "1000")
    monkeypatch.setenv("ANOTHER", "stays")
    environment = child_environment()
    assert "MERIDIAN_PORT" not in environment
    assert environment["ANOTHER"] == "stays"


def test_the_cache_may_lie_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder() == Path.home() / ".cache" / "meridian"
    monkeypatch.setenv("MERIDIAN_CACHE", "/elsewhere")
    assert cache_folder() == Path("/elsewhere")
    assert loaded("--port", "1").port == 1


def test_a_secret_is_one_word_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("a-secret\n")
    assert read_secret(path) == "a-secret"


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"\xff\xfe"])
def test_a_file_that_holds_no_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(OperatorError, match="can't be used"):
        read_secret(path)
    with pytest.raises(OperatorError, match="can't be used"):
        read_secret(tmp_path / "nothing")
