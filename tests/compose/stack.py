"""The stack of compose.yaml as a project of its own, beside whatever else runs here."""

import json
import shutil
import subprocess
import sys
import time
from functools import cached_property
from pathlib import Path
from typing import Any

from services.lab.compose_lab import ComposeLab
from services.lab.layout import LabFolder
from services.lab.record import LabRecord
from tests.faults.lab import Lab

root = Path(__file__).parents[2]
patience_s = 280.0


class ComposedLab(Lab):
    """What tests do with a lab, done with the compose file's. Its folder holds copies of the regions' data."""

    def __init__(self, folder: Path) -> None:
        self.folder = LabFolder(folder)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "services.lab.cli", "lab", *words, "--compose"]

    @cached_property
    def record(self) -> LabRecord:
        """Of the first look: endpoints and token stay while the stack is up."""
        return ComposeLab.find().record()

    def endpoint(self, region: str) -> str:
        return self.record.topology.named(region).endpoint

    def fetch_data(self) -> None:
        """Copies the regions' data directories to where tests look for them."""
        for region in self.regions:
            target = self.folder.region(region)
            shutil.rmtree(target, ignore_errors=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            docker("cp", f"{container(f'region-{region}')['Name'].lstrip('/')}:/data", str(target))


def compose(*words: str) -> str:
    return docker("compose", *words)


def docker(*words: str) -> str:
    """What it prints; fails with what it complains about."""
    command = ["docker", *words]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=patience_s, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def containers() -> list[dict[str, Any]]:
    """All of the project as `docker inspect` has them."""
    names = compose("ps", "--all", "--quiet").split()
    found: list[dict[str, Any]] = json.loads(docker("inspect", *names))
    return found


def container(service: str) -> dict[str, Any]:
    (found,) = [each for each in containers() if service_of(each) == service]
    return found


def service_of(inspected: dict[str, Any]) -> str:
    return str(inspected["Config"]["Labels"]["com.docker.compose.service"])


def up() -> float:
    """Seconds until `docker compose up --wait` was content."""
    started_s = time.monotonic()
    compose("up", "--wait")
    return time.monotonic() - started_s


def down() -> None:
    """Leaves nothing behind: neither what the test of a small disk adds, nor the volume that it replaces."""
    small_disk = ("--file", "compose.yaml", "--file", "tests/compose/small_disk.yaml")
    for files in ((), small_disk):
        compose(*files, "down", "--volumes", "--remove-orphans")
