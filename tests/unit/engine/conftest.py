"""What the tests of replication share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.engine.regions import InProcessRegion, make_global, opened


@pytest.fixture(name="here")
async def region_with_a_global_table(tmp_path: Path) -> AsyncIterator[InProcessRegion]:
    async with opened(tmp_path) as here:
        await make_global(here)
        yield here
