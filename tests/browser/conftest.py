"""A browser and a region for all tests of the console.

Of package scope: while Playwright is open, its event loop counts as running and no asynchronous test can begin.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.console_page import chromium
from tests.rest.region_process import running_region


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_region(tmp_path_factory.mktemp("region")) as endpoint:
        yield endpoint
