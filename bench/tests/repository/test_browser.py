# SPDX-License-Identifier: GPL-2.0-only
"""The browser that judges pages sees what it is there to see."""

from pathlib import Path

from browser import VIEWS, Browser, serve

HEAD = "<!doctype html><html lang='en'><head><title>t</title></head>"
FINE = f"{HEAD}<body><main><h1>Fine</h1></main></body></html>"
PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="

LEAVING = {
    "https://name.invalid/a.js": "<script src='https://name.invalid/a.js'></script>",
    "file://192.0.2.1/b.png": "<img alt='' src='//192.0.2.1/b.png'>",
    "http://192.0.2.1/c": "<script>fetch('http://192.0.2.1/c')</script>",
    "http://name.invalid/d": "<style>h1 {background: url(http://name.invalid/d)}</style>",
    "ws://192.0.2.1/e": "<script>new WebSocket('ws://192.0.2.1/e')</script>",
}


def written(directory: Path, body: str) -> str:
    page = directory / "page.html"
    page.write_text(body, encoding="utf-8")
    return page.as_uri()


def test_a_fine_page_has_nothing_against_it(browser: Browser, tmp_path: Path) -> None:
    url = written(tmp_path, FINE.replace("</h1>", f"</h1><img alt='' src='{PIXEL}'>"))
    with browser.visit(url) as visit:
        assert visit.requests[0] == url
        assert (visit.errors, visit.outside, visit.serious()) == ([], [], [])


def test_requests_that_leave_the_page_are_seen(browser: Browser, tmp_path: Path) -> None:
    body = "".join(f"</h1>{part}" for part in LEAVING.values())
    with browser.visit(written(tmp_path, FINE.replace("</h1>", body))) as visit:
        assert sorted(visit.outside) == sorted(LEAVING)
        assert len(visit.errors) >= len(LEAVING)


def test_another_port_of_this_machine_is_outside(browser: Browser, tmp_path: Path) -> None:
    with serve(tmp_path) as other, serve(tmp_path) as origin:
        written(tmp_path, FINE.replace("</h1>", f"</h1><img alt='' src='{other}page.html'>"))
        with browser.visit(f"{origin}page.html") as visit:
            assert visit.outside == [f"{other}page.html"]


def test_errors_are_seen(browser: Browser, tmp_path: Path) -> None:
    scripts = "<script>throw Error('thrown')</script><script>console.error('said')</script>"
    with browser.visit(written(tmp_path, FINE.replace("</h1>", f"</h1>{scripts}"))) as visit:
        assert len(visit.errors) == 2
        assert "thrown" in "".join(visit.errors)
        assert "said" in "".join(visit.errors)


def test_faint_text_is_seen_in_the_scheme_that_has_it(browser: Browser, tmp_path: Path) -> None:
    style = (
        "<style>@media (prefers-color-scheme: dark) {h1 {color: #222; background: #000}}</style>"
    )
    with browser.visit(written(tmp_path, FINE.replace("</h1>", f"</h1>{style}"))) as visit:
        assert visit.serious() == []
        visit.show(VIEWS[3])
        assert ["color-contrast" in line for line in visit.serious()] == [True]


def test_screenshots_differ_by_width_scheme_and_media(browser: Browser, tmp_path: Path) -> None:
    style = "<style>:root {color-scheme: light dark} @media print {h1 {border: 1px solid}}</style>"
    with browser.visit(written(tmp_path, FINE.replace("</h1>", f"</h1>{style}"))) as visit:
        shots = visit.screenshots(tmp_path)
    assert [shot.stem for shot in shots] == [f"page-{view.name}" for view in VIEWS]
    assert len({shot.read_bytes() for shot in shots}) == len(VIEWS)
