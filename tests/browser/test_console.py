"""The console of one region whose neighbour is silent: what a person sees when something is wrong."""

import re

import httpx
import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from tests.browser.console_page import fits_its_width, narrow, opened_page, wide

sizes = pytest.mark.parametrize("viewport", [wide, narrow], ids=["wide", "narrow"])


@sizes
def test_the_page_shows_which_region_answers(browser: Browser, endpoint: str, viewport: ViewportSize) -> None:
    with opened_page(browser, f"{endpoint}/console", viewport) as page:
        expect(page.get_by_role("status").first).to_have_text("eu-west-1 not ready")
        expect(page.locator("#map .region.good")).to_contain_text("us-east-1")
        expect(page.locator("#map .region.bad")).to_contain_text("unreachable")
        expect(page.get_by_role("img", name=re.compile("^1 of 2 regions ready"))).to_be_visible()
        assert fits_its_width(page)


@sizes
def test_words_fit_their_labels(browser: Browser, endpoint: str, viewport: ViewportSize) -> None:
    with opened_page(browser, f"{endpoint}/console", viewport) as page:
        expect(page.locator("#map .label")).to_have_count(2)
        margins = page.locator("#map .label").evaluate_all(
            "labels => labels.map(it => it.querySelector('rect').getBBox().width"
            " - it.querySelector('text').getBBox().width)"
        )
        assert min(margins) >= 12


def test_links_without_a_replicator_are_said_to_have_none(browser: Browser, endpoint: str) -> None:
    with opened_page(browser, f"{endpoint}/console") as page:
        rows = page.locator("#link-rows tr")
        expect(rows).to_have_count(2)
        expect(rows.filter(has_text="eu-west-1 → us-east-1")).to_contain_text("no replicator")
        expect(rows.filter(has_text="us-east-1 → eu-west-1")).to_contain_text("unknown")


def test_text_of_the_service_never_becomes_markup(browser: Browser, endpoint: str) -> None:
    """An attribute's name is the client's choice, and the page shows it."""
    name = "<img src=x onerror=document.title='broken'>"
    table = {"name": "markup", "partition_key": {"name": name, "type": "string"}}
    assert httpx.post(f"{endpoint}/v1/tables", json=table).status_code == 201
    with opened_page(browser, f"{endpoint}/console") as page:
        expect(page.get_by_role("cell", name=f"{name} (string)", exact=True)).to_be_visible()
        assert page.locator("#tables img").count() == 0
        expect(page).to_have_title("Meridian · us-east-1")


def test_a_page_from_another_address_says_where_the_console_is(browser: Browser, endpoint: str) -> None:
    """Regions answer to pages of the topology's addresses only, so such a page can't see the others."""
    with opened_page(browser, f"{endpoint.replace('127.0.0.1', 'localhost')}/console") as page:
        expect(page.get_by_role("alert")).to_contain_text(f"open {endpoint}/console")


@sizes
def test_the_documentation_shows_every_operation(browser: Browser, endpoint: str, viewport: ViewportSize) -> None:
    with opened_page(browser, f"{endpoint}/docs", viewport) as page:
        put = page.locator("details").filter(has_text="/v1/tables/{table}/items/{key}").filter(has_text="PUT")
        put.first.locator("summary").click()
        expect(put.first).to_contain_text(f"curl -X PUT '{endpoint}/v1/tables/customers/items/ada' --json")
        expect(page.locator("summary .path", has_text="/v1/replication")).to_be_visible()
        expect(page.locator("#operations h2").first).to_have_text("tables")
        assert fits_its_width(page)
