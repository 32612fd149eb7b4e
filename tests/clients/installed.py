"""The clients' own packages, installed once into the cache from lock files; none of them enters our `.venv`."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copy, rmtree

from shared.settings import cache_folder

_here = Path(__file__).parent


def python_clients() -> Path:
    """The `bin` folder of a virtual environment."""
    return _installed("python", "requirements.txt", _install_python) / "bin"


def javascript_clients() -> Path:
    """A folder with `node_modules`."""
    return _installed("javascript", "package-lock.json", _install_javascript)


def java_clients() -> Path:
    """A folder of jars, a compiler among them."""
    return _installed("java", "java.pom.xml", _install_java)


def _installed(kind: str, lock: str, install: Callable[[Path], None]) -> Path:
    digest = hashlib.sha256((_here / lock).read_bytes()).hexdigest()[:12]
    folder = cache_folder() / "clients" / f"{kind}-{digest}"
    done = folder / ".installed"
    if not done.exists():
        rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        install(folder)
        done.touch()
    return folder


def _install_python(folder: Path) -> None:
    _run(sys.executable, "-m", "venv", str(folder))
    _run(str(folder / "bin" / "pip"), "install", "--quiet", "--require-hashes", "-r", str(_here / "requirements.txt"))


def _install_javascript(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        copy(_here / name, folder)
    _run("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(folder))


def _install_java(folder: Path) -> None:
    pom = str(_here / "java.pom.xml")
    _run("mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", f"-DoutputDirectory={folder}")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
