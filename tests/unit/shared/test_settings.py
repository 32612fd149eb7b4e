"""Settings: flags before variables before defaults, and nothing that is misspelt or can't be passes in silence."""

import os
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
    """A service that exists for this test."""

    name: str = setting("what it is called")
    port: int = setting("port to listen on", parse=port_number, default=8000)
    feed: str = setting("what carries changes", parse=one_of("embedded", "kafka"), default="embedded")
    pause_s: float = setting("how long it waits, 100% sure", parse=seconds, default=0.5)
    allow_remote: bool = switch("listen for everybody")

    def check(self) -> None:
        if self.allow_remote and self.port == 8000:
            raise OperatorError("the settings can't be used", why="both can't be", next_step="Choose")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MERIDIAN_")]:  # noqa: TID251
        monkeypatch.delenv(name)


def read(*flags: str) -> ExampleSettings:
    return load(ExampleSettings, flags, program="example")


def test_a_flag_beats_a_variable_beats_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read("--name", "x") == ExampleSettings(name="x", port=8000, feed="embedded", pause_s=0.5, allow_remote=False)
    monkeypatch.setenv("MERIDIAN_NAME", "from-variable")
    monkeypatch.setenv("MERIDIAN_PORT", "9000")
    monkeypatch.setenv("MERIDIAN_PAUSE_S", "2")
    assert (read().name, read().port, read().pause_s) == ("from-variable", 9000, 2.0)
    assert read("--port", "9001").port == 9001


@pytest.mark.parametrize(
    ("text", "meant"),
    [("1", True), ("TRUE", True), ("on", True), ("YES", True), ("no", False), ("0", False), ("off", False)],
)
def test_a_switch_is_a_flag_or_a_word(monkeypatch: pytest.MonkeyPatch, text: str, meant: bool) -> None:
    assert read("--name", "x", "--port", "1", "--allow-remote").allow_remote
    monkeypatch.setenv("MERIDIAN_ALLOW_REMOTE", text)
    assert read("--name", "x", "--port", "1").allow_remote is meant


def test_a_misspelt_variable_stops_the_start_and_names_the_right_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERIDIAN_PROT", "9000")
    with pytest.raises(
        OperatorError, match=r"MERIDIAN_PROT is not understood.*Did you mean MERIDIAN_PORT\?"
    ) as refused:
        read("--name", "x")
    assert "MERIDIAN_PROT" in refused.value.what
    assert "MERIDIAN_PORT" in refused.value.next_step


def test_a_missing_setting_names_its_flag_and_its_variable() -> None:
    with pytest.raises(OperatorError, match="--name is missing") as refused:
        read()
    assert "--name" in refused.value.what
    assert "MERIDIAN_NAME" in refused.value.next_step


@pytest.mark.parametrize(
    "flags",
    [
        ("--port", "0"),
        ("--port", "65536"),
        ("--port", "8e3"),
        ("--port", "\u0661"),
        ("--feed", "pigeon"),
        ("--pause-s", "-1"),
        ("--pause-s", "nan"),
        ("--pause-s", "inf"),
        ("--pause-s", "soon"),
    ],
)
def test_a_value_that_can_not_be_names_the_flag(flags: tuple[str, str]) -> None:
    with pytest.raises(OperatorError, match="can't be used") as refused:
        read("--name", "x", *flags)
    assert flags[0] in refused.value.what


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERIDIAN_ALLOW_REMOTE", "perhaps")
    with pytest.raises(OperatorError) as refused:
        read("--name", "x")
    assert refused.value.what.startswith("MERIDIAN_ALLOW_REMOTE=perhaps")


def test_fields_are_checked_together() -> None:
    with pytest.raises(OperatorError, match="both can't be"):
        read("--name", "x", "--allow-remote")


def test_help_documents_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        read("--help")
    assert ended.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "--port PORT port to listen on (MERIDIAN_PORT; default 8000)" in text
    assert "--name NAME what it is called (MERIDIAN_NAME; required)" in text
    assert "--allow-remote listen for everybody (MERIDIAN_ALLOW_REMOTE)" in text
    assert "100% sure" in text


@pytest.mark.parametrize("flag", ["--prot", "--por"])
def test_an_unknown_or_shortened_flag_is_a_usage_error(flag: str) -> None:
    with pytest.raises(SystemExit) as ended:
        read("--name", "x", flag, "1")
    assert ended.value.code == 2


def test_children_do_not_inherit_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERIDIAN_PORT", "9000")
    monkeypatch.setenv("UNRELATED", "kept")
    assert "MERIDIAN_PORT" not in child_environment()
    assert child_environment()["UNRELATED"] == "kept"


def test_the_cache_may_lie_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder() == Path.home() / ".cache" / "meridian"
    monkeypatch.setenv("MERIDIAN_CACHE", "/elsewhere")
    assert cache_folder() == Path("/elsewhere")
    assert read("--name", "x").name == "x", "it is no setting of a service, and stops none"


def test_a_secret_is_one_word_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("s3cret\n", encoding="utf-8")
    assert read_secret(path) == "s3cret"


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"\xff\xfe"])
def test_a_file_without_a_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(OperatorError, match=r"token.*can't be used"):
        read_secret(path)
    with pytest.raises(OperatorError, match=r"absent.*can't be used"):
        read_secret(tmp_path / "absent")
