"""Settings: a frozen dataclass per service, filled from flags, then `MERIDIAN_*` variables, then documented defaults.

A service declares what it can be told, field by field:

    @dataclass(frozen=True, slots=True, kw_only=True)
    class RegionSettings(Settings):
        port: int = setting("port to listen on", parse=port_number)           # --port, MERIDIAN_PORT; required
        host: str = setting("address to listen on", default="127.0.0.1")
        feed: str = setting("what carries changes", parse=one_of("embedded", "kafka"), default="embedded")
        create_delay_s: float = setting("how long a new table stays CREATING", parse=seconds, default=0.0)
        allow_remote: bool = switch("listen on an address of other machines, without authentication")

and gets it checked or an `OperatorError` by `load(RegionSettings, argv, program="meridian region")`. A variable that
begins with `MERIDIAN_` and is no setting stops the start. Nothing else in Meridian reads the environment.
"""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from shared.errors import OperatorError

prefix = "MERIDIAN_"
cache_variable = "MERIDIAN_CACHE"
_count_max = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a service's settings derive from."""

    def check(self) -> None:
        """Looks at the fields together; raises `OperatorError` where they contradict each other."""


S = TypeVar("S", bound=Settings)


def setting(description: str, *, parse: Callable[[str], object] = str, default: object = MISSING) -> Any:
    """A field given as text; `parse` raises `ValueError` (or `OperatorError`) for text that it can't take."""
    return field(default=default, metadata={"description": description, "parse": parse})


def switch(description: str) -> Any:
    """A field that is false unless its flag is given or its variable is 1, true, yes or on."""
    return field(default=False, metadata={"description": description, "parse": _truth, "switch": True})


def load(kind: type[S], argv: Sequence[str] | None = None, *, program: str) -> S:
    """The settings of this process. `--help` and unknown flags end the process as argparse does (0 and 2)."""
    flags = _parser(kind, program).parse_args(argv)
    variables = {name: value for name, value in os.environ.items() if name.startswith(prefix)}
    _refuse_unknown(variables, known=[_variable(each) for each in fields(kind)])
    given = {each.name: _value(each, vars(flags)[each.name], variables) for each in fields(kind)}
    settings = kind(**{name: value for name, value in given.items() if value is not MISSING})
    settings.check()
    return settings


def port_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65_535):
        raise ValueError(f"{text!r} is no port number (1 to 65535)")
    return int(text)


def seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError(f"{text!r} is no duration in seconds")
    return value


def count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _count_max):
        raise ValueError(f"{text!r} is no number from 1 to {_count_max}")
    return int(text)


def one_of(*names: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(f"{text!r} is none of {', '.join(names)}")
        return text

    return parse


def read_secret(path: Path) -> str:
    """The one line of a file that holds a token or a key."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable_secret(path, str(error)) from error
    if not secret or any(character.isspace() for character in secret):
        raise _unusable_secret(path, "it must hold exactly one word")
    return secret


def child_environment() -> Mapping[str, str]:
    """This process's environment without Meridian's variables: who starts a service tells it everything by flags."""
    return {name: value for name, value in os.environ.items() if not name.startswith(prefix)}


def cache_folder() -> Path:
    """Where downloaded programs are kept: `MERIDIAN_CACHE`, or `~/.cache/meridian`."""
    chosen = os.environ.get(cache_variable)
    return Path(chosen) if chosen else Path.home() / ".cache" / "meridian"


def _parser(kind: type[Settings], program: str) -> argparse.ArgumentParser:
    summary = (kind.__doc__ or "").strip()
    parser = argparse.ArgumentParser(program, description=summary, allow_abbrev=False)
    for each in fields(kind):
        name = "--" + each.name.replace("_", "-")
        if "switch" in each.metadata:
            parser.add_argument(name, action="store_const", const="true", help=_help(each))
        else:
            parser.add_argument(name, metavar=each.name.upper(), help=_help(each))
    return parser


def _help(each: "Field[Any]") -> str:
    origin = _variable(each)
    if each.default is MISSING:
        origin += "; required"
    elif "switch" not in each.metadata and str(each.default or ""):
        origin += f"; default {each.default}"
    return f"{each.metadata['description']} ({origin})".replace("%", "%%")


def _variable(each: "Field[Any]") -> str:
    return prefix + each.name.upper()


def _value(each: "Field[Any]", flag: str | None, variables: Mapping[str, str]) -> object:
    text = variables.get(_variable(each)) if flag is None else flag
    origin = f"{_variable(each)}={text}" if flag is None else f"--{each.name.replace('_', '-')} {text}"
    if text is None:
        if each.default is MISSING:
            raise OperatorError(
                f"--{each.name.replace('_', '-')} is missing",
                why=f"there is no default for {each.metadata['description']}",
                next_step=f"Give the flag or set {_variable(each)}",
            )
        return MISSING
    try:
        return each.metadata["parse"](text)
    except ValueError as error:
        raise OperatorError(
            f"{origin} can't be used", why=str(error), next_step=f"It is: {each.metadata['description']}"
        ) from error


def _refuse_unknown(variables: Mapping[str, str], *, known: Sequence[str]) -> None:
    for name in sorted(variables.keys() - {*known, cache_variable}):
        similar = get_close_matches(name, known, n=1)
        raise OperatorError(
            f"the environment variable {name} is not understood",
            why="there is no such setting",
            next_step=f"Did you mean {similar[0]}?" if similar else f"Unset it; known are {', '.join(known)}",
        )


def _truth(text: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.lower() not in words:
        raise ValueError(f"{text!r} is neither true nor false")
    return words[text.lower()]


def _unusable_secret(path: Path, why: str) -> OperatorError:
    return OperatorError(
        f"the secret in {path} can't be used",
        why=why,
        next_step="Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
    )
