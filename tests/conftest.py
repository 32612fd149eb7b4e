"""What concerns a whole run: without a container engine the tests on compose are left out, and the header says so.

A property has a time bound where its test gives one; a slow machine alone fails nothing.
"""

import subprocess
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, settings

settings.register_profile("meridian", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("meridian")

_compose = Path(__file__).parent / "compose"


def pytest_report_header() -> str:
    return "container engine: " + ("answers" if _engine_answers() else "none answers, so tests/compose is left out")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return True if collection_path == _compose and not _engine_answers() else None


@cache
def _engine_answers() -> bool:
    try:
        return subprocess.run(["docker", "info"], capture_output=True, timeout=20, check=False).returncode == 0
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
