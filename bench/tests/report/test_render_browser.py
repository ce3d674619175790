# SPDX-License-Identifier: GPL-2.0-only
"""A report in a real browser without a network, and every report that is committed."""

from pathlib import Path

import browser as pages
import pytest
from drawn import FIGURES, written
from made_report import EVIL, contract
from places import ROOT
from playwright.sync_api import Dialog

from zapbench import report

REPORTS = sorted(ROOT.glob("reports/*/index.html"))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with every kind of section that made-up records can give."""
    place = tmp_path_factory.mktemp("browser")
    contracts = [contract("madv_zap"), contract("dontneed", lost=["poison"])]
    more = {case.replace("cycle/", "zap/"): medians for case, medians in FIGURES.items()}
    native = written(place / "native", FIGURES | more, *contracts)
    counted = written(
        place / "counted", FIGURES, *contracts, tier="icount", unit="instructions", kernel=EVIL
    )
    return report.make([native, counted], place / "reports" / "page") / "index.html"


@pytest.mark.parametrize("view", pages.VIEWS, ids=lambda view: view.name)
def test_page_is_whole_and_fit_for_all(
    browser: pages.Browser, page: Path, view: pages.View
) -> None:
    with browser.visit(page.as_uri(), view) as visit:
        assert visit.errors == []
        assert visit.outside == []
        assert visit.requests == [page.as_uri()]
        assert visit.serious() == []
        wide = visit.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= view.width  # only tables and charts scroll sideways, in their own boxes


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.parent.name)
def test_committed_report_is_whole_and_fit_for_all(browser: pages.Browser, path: Path) -> None:
    with browser.visit(path.as_uri(), pages.VIEWS[0]) as visit:
        assert (visit.errors, visit.requests) == ([], [path.as_uri()])
        visit.thin_out()
        for view in pages.VIEWS:
            visit.show(view)
            assert visit.serious() == []
        assert (visit.errors, visit.requests) == ([], [path.as_uri()])


def test_names_with_tags_run_nothing(browser: pages.Browser, page: Path) -> None:
    dialogs: list[str] = []

    def noted(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    with browser.visit(page.as_uri()) as visit:
        visit.page.on("dialog", noted)
        visit.page.reload()
        assert visit.page.get_by_text(EVIL).count() > 0
    assert dialogs == []


def test_a_table_is_sorted_by_its_columns(browser: pages.Browser, page: Path) -> None:
    with browser.visit(page.as_uri()) as visit:
        table = visit.page.locator("table", has_text="cycle: ").first
        head = table.locator("thead th", has_text="median")
        values = "cells => cells.map(cell => Number(cell.dataset.v))"
        seen = []
        for _ in range(2):
            head.get_by_role("button").click()
            cells = table.locator("tbody tr td:nth-child(2)")
            seen.append((head.get_attribute("aria-sort"), cells.evaluate_all(values)))
        (first, up), (second, down) = seen
        assert (first, second) == ("ascending", "descending")
        assert len(up) == len(FIGURES)
        assert up == sorted(up) == down[::-1]


def test_a_table_is_filtered_by_words(browser: pages.Browser, page: Path) -> None:
    with browser.visit(page.as_uri()) as visit:
        box = visit.page.locator("label.filter + div", has_text="remap").first
        field = box.locator("xpath=preceding-sibling::label[1]//input")
        rows = box.locator("tbody tr")
        before = rows.count()
        field.fill("remap")
        shown = [rows.nth(n).inner_text() for n in range(before) if rows.nth(n).is_visible()]
        assert 0 < len(shown) < before
        assert all("remap" in text for text in shown)
        field.fill("")
        assert all(rows.nth(n).is_visible() for n in range(before))


def test_page_is_read_without_scripts(browser: pages.Browser, page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    silent = page.with_name("silent.html")
    silent.write_text(text[: text.rindex("<script>")] + "</body></html>", encoding="utf-8")
    with browser.visit(silent.as_uri()) as visit:
        assert visit.page.locator("tbody tr").count() > 20
        assert visit.page.get_by_role("searchbox").count() == 0


def test_charts_follow_a_dark_scheme(browser: pages.Browser, page: Path) -> None:
    colours = []
    color = "text => getComputedStyle(text).fill"
    with browser.visit(page.as_uri()) as visit:
        for view in (pages.VIEWS[2], pages.VIEWS[3]):
            visit.show(view)
            colours.append(visit.page.locator("figure svg text").first.evaluate(color))
    assert colours == ["rgb(0, 0, 0)", "rgb(230, 230, 230)"]
