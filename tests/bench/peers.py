"""Other DynamoDB-compatible servers to measure beside: installed once into the cache, then started like any server."""

import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.lab.ports import loopback
from shared.errors import OperatorError
from shared.settings import cache_folder

_log_lines_shown = 12


@dataclass(frozen=True, slots=True)
class Package:
    """A program as its registry has it; `{folder}` in the installer's words is where it goes."""

    name: str
    version: str
    installer: tuple[str, ...]
    program: str  # below the folder

    @property
    def folder(self) -> Path:
        return cache_folder() / "peers" / f"{self.name}-{self.version}"

    @property
    def path(self) -> Path:
        return self.folder / self.program


@dataclass(frozen=True, slots=True)
class Peer:
    """One way to run a package; `command` takes a port and a folder for data."""

    name: str
    command: Callable[[int, Path], list[str]]


_dynalite = Package(
    "dynalite",
    "4.0.0",
    ("npm", "install", "--no-audit", "--no-fund", "--no-save", "--prefix", "{folder}", "dynalite@4.0.0"),
    "node_modules/dynalite/cli.js",
)
_dynoxide = Package(
    "dynoxide",
    "3.2.0",
    (
        *("cargo", "install", "dynoxide-rs", "--version", "3.2.0", "--locked", "--root", "{folder}"),
        *("--no-default-features", "--features", "native-sqlite,http-server,cli"),
    ),
    "bin/dynoxide",
)

packages = (_dynalite, _dynoxide)


def peers() -> Sequence[Peer]:
    return (
        Peer("dynalite in memory", _dynalite_command),
        Peer("dynalite on LevelDB", lambda port, data: [*_dynalite_command(port, data), "--path", str(data)]),
        Peer("Dynoxide in memory", _dynoxide_command),
        Peer("Dynoxide on a file", lambda port, data: [*_dynoxide_command(port, data), "--db-path", str(data / "db")]),
    )


def install(wanted: Sequence[Package]) -> None:
    """Installs what the cache lacks; raises `OperatorError` that names each package that can't be had, and why."""
    reasons = {package.name: why for package in wanted if (why := _install(package)) is not None}
    if reasons:
        raise OperatorError(
            f"{' and '.join(reasons)} can't be installed",
            why="\n".join(f"{name}: {why}" for name, why in reasons.items()),
            next_step="Give the installers network access and current versions (Node 20, Rust 1.88), or run make bench",
        )


def _install(package: Package) -> str | None:
    """None once it is there, else why it isn't."""
    if package.path.exists():
        return None
    if shutil.which(package.installer[0]) is None:
        return f"{package.installer[0]} is not installed"
    print(f"Installing {package.name} {package.version} into {package.folder}", flush=True)
    unfinished = package.folder.with_name(f"{package.folder.name}.unfinished")
    unfinished.mkdir(parents=True, exist_ok=True)
    command = [word.format(folder=unfinished) for word in package.installer]
    run = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if run.returncode:
        return "\n".join(run.stdout.strip().splitlines()[-_log_lines_shown:])
    shutil.rmtree(package.folder, ignore_errors=True)
    unfinished.rename(package.folder)
    return None if package.path.exists() else f"there is no {package.program} in what was installed"


def _dynalite_command(port: int, _data: Path) -> list[str]:
    return ["node", str(_dynalite.path), "--host", loopback, "--port", str(port), "--createTableMs", "0"]


def _dynoxide_command(port: int, _data: Path) -> list[str]:
    return [str(_dynoxide.path), "serve", "--host", loopback, "--port", str(port)]
