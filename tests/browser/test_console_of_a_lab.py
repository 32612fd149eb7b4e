"""The console of three regions that replicate: make the demo table, write, watch it arrive, cut and heal."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.console_page import narrow, opened_page
from tests.faults.lab import Lab, regions, started_lab

_in_step_ms = 20_000
_set_up_ms = 40_000
_arrival_ms = 15_000


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with started_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def page(lab: Lab, browser: Browser) -> Iterator[Page]:
    """The console of the first region, with the demo table made."""
    with opened_page(browser, f"{lab.record.topology.named(regions[0]).endpoint}/console") as page:
        expect(page.locator("#journey-form:not([hidden]), #journey-setup:not([hidden])")).to_be_visible()
        make = page.get_by_role("button", name="Make the demo table")
        if make.is_visible():
            make.click()
        expect(page.locator("#journey-form")).to_be_visible(timeout=_set_up_ms)
        yield page


def test_three_regions_come_in_step(page: Page) -> None:
    expect(page.locator("#summary")).to_have_text("3 regions in step", timeout=_in_step_ms)
    expect(page.locator("#link-rows tr")).to_have_count(6)
    expect(page.locator("#link-rows .state.good")).to_have_count(6)
    expect(page.locator("#table-rows tr", has_text="console-demo").locator(".state.good")).to_have_count(3)


def test_arrows_of_a_narrow_picture_keep_apart(lab: Lab, browser: Browser) -> None:
    with opened_page(browser, f"{lab.record.topology.named(regions[0]).endpoint}/console", narrow) as page:
        expect(page.locator("#map .link")).to_have_count(6)
        nearest = page.locator("#map .link").evaluate_all("""links => Math.min(...links.flatMap(link => {
            const tip = link.querySelector("polygon").points[0];
            const others = links.filter(other => other !== link).map(other => other.querySelector("line"));
            return others.map(({x1, y1}) => Math.hypot(tip.x - x1.baseVal.value, tip.y - y1.baseVal.value));
        }))""")
    assert nearest >= 8


@pytest.mark.parametrize("source", regions)
def test_what_is_written_in_one_region_is_seen_to_arrive_in_the_others(page: Page, source: str) -> None:
    text = f"<b>{len(source)}</b> letters"
    _write(page, source, text)
    for region in regions:
        line = page.locator("#journey-arrivals li", has_text=region).filter(has_text=text)
        expect(line).to_contain_text("written in" if region == source else "after", timeout=_arrival_ms)


def test_a_cut_is_seen_and_what_was_written_meanwhile_arrives_when_it_heals(page: Page, lab: Lab) -> None:
    source, target, other = regions
    lab.run_well("cut", source, target)
    expect(page.locator("#summary")).to_have_text("2 links in trouble", timeout=_in_step_ms)
    _write(page, source, "through the cut")
    waiting = page.locator("#journey-arrivals li", has_text=target)
    expect(page.locator("#journey-arrivals li", has_text=other)).to_contain_text("after", timeout=_arrival_ms)
    expect(waiting).to_contain_text("waiting")
    row = page.locator("#link-rows tr", has_text=f"{source} → {target}")
    trouble = re.compile(f"^{source} (gave|took) no .*See that {source} runs")
    expect(page.locator("#link-rows tr.error", has_text=trouble)).to_have_count(1)
    expect(row.locator(".backlog")).to_have_text(re.compile("^[1-9]"))
    lab.run_well("heal")
    expect(waiting).to_contain_text("after", timeout=_in_step_ms)
    expect(page.locator("#summary")).to_have_text("3 regions in step", timeout=_in_step_ms)


def test_a_write_to_a_region_that_is_away_says_what_to_do(page: Page, lab: Lab) -> None:
    away = regions[-1]
    lab.run_well("kill", away)
    _write(page, away, "to nobody")
    told = f"{away} gave no answer. See that it runs"
    expect(page.locator("#journey-arrivals li", has_text=away)).to_contain_text(told)
    lab.run_well("start", away)


def _write(page: Page, region: str, text: str) -> None:
    page.get_by_role("radio", name=region).check()
    page.get_by_role("textbox", name="Message").fill(text)
    page.get_by_role("button", name="Write").click()
