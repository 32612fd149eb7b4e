"""Debian's Chromium on a console page, as the browser tests use it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

wide: ViewportSize = {"width": 1280, "height": 800}
narrow: ViewportSize = {"width": 390, "height": 844}

_chromium = Path("/usr/bin/chromium")
_arguments = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium, args=list(_arguments))
        yield browser
        browser.close()


@contextmanager
def opened_page(browser: Browser, address: str, viewport: ViewportSize = wide) -> Iterator[Page]:
    """The page; in the end it must have thrown nothing and been refused nothing by its own policy."""
    troubles: list[str] = []
    context = browser.new_context(viewport=viewport, reduced_motion="reduce")
    page = context.new_page()
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if "Policy" in message.text else None)
    page.goto(address)
    yield page
    context.close()
    assert troubles == []


def fits_its_width(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
