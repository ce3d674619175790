# SPDX-License-Identifier: GPL-2.0-only
"""A real Chromium without a network, that tells what a page asked for and what went wrong.

The fixture `browser` of conftest.py makes one for a test module:

    with browser.visit(page.as_uri()) as visit:
        assert visit.errors == [] and visit.outside == []
        assert visit.serious() == []

A page that needs HTTP is shown by ``with serve(directory) as origin``.
"""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from limits import seconds
from playwright import sync_api as playwright

WITHIN = {"data", "blob", "about"}
"""Schemes that leave neither the page nor the machine."""

DEAD_PROXY = playwright.ProxySettings(server="http://127.0.0.1:9", bypass="127.0.0.1")
"""The discard port, where nobody listens: names and addresses are never looked up or reached."""


class View(NamedTuple):
    """A way to look at a page; the width is in CSS pixels."""

    name: str
    width: int
    scheme: Literal["light", "dark"]
    media: Literal["screen", "print"]


VIEWS = (
    View("phone-light", 390, "light", "screen"),
    View("phone-dark", 390, "dark", "screen"),
    View("desk-light", 1440, "light", "screen"),
    View("desk-dark", 1440, "dark", "screen"),
    View("print", 794, "light", "print"),  # A4 at 96 dpi
)


@dataclass
class Visit:
    """One page in one tab.

    Attributes:
        page: Playwright's own object, for whatever is not offered here.
        errors: errors on the console and uncaught exceptions, so far.
        requests: the address of everything that was asked for, so far, the page itself first.
        outside: those of them that left the page's own place (file:, or its own server).
    """

    page: playwright.Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def show(self, view: View) -> None:
        """Show the page as in ``view``."""
        self.page.set_viewport_size({"width": view.width, "height": 900})
        self.page.emulate_media(media=view.media, color_scheme=view.scheme)

    def screenshots(self, directory: Path, name: str = "page") -> list[Path]:
        """The whole page in each of `VIEWS`, as ``NAME-VIEW.png``."""
        made = []
        for view in VIEWS:
            self.show(view)
            made.append(directory / f"{name}-{view.name}.png")
            self.page.screenshot(path=made[-1], full_page=True)
        return made

    def thin_out(self, rows: int = 6, tables: int = 6, charts: int = 2) -> None:
        """Leave so many tables and charts of each section, and rows of each table.

        axe-core takes minutes over thousands of cells and labels; those that go are made by the
        same code as those that stay.
        """
        self.page.evaluate(
            """([rows, tables, charts]) => {
                const cut = (root, what, count) =>
                    [...root.querySelectorAll(what)].slice(count).forEach(each => each.remove());
                for (const section of document.querySelectorAll("section")) {
                    cut(section, "table", tables);
                    cut(section, "figure", charts);
                }
                for (const body of document.querySelectorAll("tbody"))
                    cut(body, "tr", rows);
            }""",
            [rows, tables, charts],
        )

    def serious(self) -> list[str]:
        """What axe-core finds serious or critical in the page as it is shown, one line each."""
        return [
            f"{found['id']} ({found['impact']}): {found['help']}: {node['target']}"
            for found in Axe().run(self.page).response["violations"]
            if found["impact"] in {"serious", "critical"}
            for node in found["nodes"]
        ]


class Browser:
    """A running Chromium."""

    def __init__(self, chromium: playwright.Browser) -> None:
        self._chromium = chromium

    @contextmanager
    def visit(self, url: str, view: View = VIEWS[2]) -> Iterator[Visit]:
        """Open a ``file:`` or ``http://127.0.0.1`` page and wait until it asks for nothing more.

        Requests that leave it are noted and not let through.
        """
        own = urlsplit(url)

        def is_outside(address: str) -> bool:
            parts = urlsplit(address)
            return parts.scheme not in WITHIN and parts[:2] != own[:2]

        with self._chromium.new_context(service_workers="block") as context:
            context.route(is_outside, lambda route: route.abort())
            visit = Visit(context.new_page())
            visit.show(view)
            visit.page.set_default_timeout(1000 * seconds(15))

            def note(request: playwright.Request) -> None:
                visit.requests.append(request.url)
                if is_outside(request.url):
                    visit.outside.append(request.url)

            def note_socket(socket: playwright.WebSocket) -> None:
                visit.requests.append(socket.url)
                visit.outside.append(socket.url)

            def note_message(message: playwright.ConsoleMessage) -> None:
                if message.type == "error":
                    visit.errors.append(f"{message.text} ({message.location.get('url', '')})")

            context.on("request", note)
            visit.page.on("websocket", note_socket)
            visit.page.on("console", note_message)
            visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
            visit.page.goto(url, wait_until="networkidle")
            yield visit


@contextmanager
def start(require: Callable[[object, str], None]) -> Iterator[Browser]:
    """Start Chromium, or skip (fail, in continuous integration) where there is none."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    require(chromium, "there is no Chromium: apt-get install chromium")
    # Chromium's sandbox refuses to work for root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with (
        playwright.sync_playwright() as driver,
        driver.chromium.launch(
            executable_path=chromium, args=arguments, proxy=DEAD_PROXY
        ) as launched,
    ):
        yield Browser(launched)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def serve(directory: Path) -> Iterator[str]:
    """Serve a directory on 127.0.0.1; the value is its address, with a slash at the end."""
    handler = partial(_Quiet, directory=str(directory))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()
