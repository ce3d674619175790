# SPDX-License-Identifier: GPL-2.0-only
"""asv's pages in a real browser without a network, and how they come to need none."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from browser import Browser, Visit, serve
from limits import seconds
from toy_project import BENCHMARK, Project

from zapbench.asv_kernel import publish
from zapbench.error import EnvironmentMissing
from zapbench.host.packages import install

STEP, COMMITS = 6, 12
FIRST_DAY = 1_700_000_000
MACHINE = {"machine": "toy", "os": "Linux", "arch": "x86_64", "cpu": "", "num_cpu": "1", "ram": ""}
PLAIN, METHODS = "zap.track_plain", "zap.track_methods"
SHARED = {"type": "track", "unit": "instructions", "version": "1", "timeout": 60, "code": ""}
BENCHMARKS = [
    {**SHARED, "name": PLAIN, "params": [], "param_names": []},
    {**SHARED, "name": METHODS, "params": [["'remap'", "'rwp'"]], "param_names": ["method"]},
]
PAINTED = """
    Array.from(document.querySelectorAll("#main-graph canvas")).map(canvas => {
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return data.some(value => value > 0);
    })
"""


def git(directory: Path, *arguments: str, day: int = 0) -> str:
    date = f"{FIRST_DAY + 86_400 * day} +0000"
    identity = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "toy"), ("EMAIL", "toy@localhost"), ("DATE", date))
    }
    return subprocess.run(
        ["git", "-C", directory, *arguments],
        env={**os.environ, **identity},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def write_results(measured: Path, commits: list[str]) -> None:
    """One result a commit, by asv's own classes; the commit number `STEP` costs a quarter more."""
    from asv.benchmarks import Benchmarks
    from asv.config import Config
    from asv.machine import Machine
    from asv.results import Results
    from asv.runner import BenchmarkResult

    conf = Config.load(str(measured / "asv.conf.json"))
    conf.results_dir = str(measured / "results")
    Benchmarks(conf, BENCHMARKS).save()
    machine = Machine()
    machine.__dict__.update(MACHINE)
    machine.save(conf.results_dir)
    for number, commit in enumerate(commits):
        date = 1000 * (FIRST_DAY + 86_400 * number)
        results = Results({**MACHINE, "python": "3"}, {}, commit, date, "3", "kernel", {})
        value = 4000 if number < STEP else 5000
        for benchmark, values in zip(BENCHMARKS, ([value], [2 * value, 300]), strict=True):
            none = [None] * len(values)
            results.add_result(benchmark, BenchmarkResult(values, none, none, 0, "", None))
        results.save(conf.results_dir)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An asv project of twelve commits with their results."""
    measured = tmp_path_factory.mktemp("project")
    source = measured / "source"
    source.mkdir()
    git(source, "init", "-q", "-b", "main")
    for day in range(COMMITS):
        git(source, "commit", "-q", "--allow-empty", "-m", f"Commit {day}", day=day)
    (measured / "suite").mkdir()
    (measured / "suite" / "__init__.py").touch()
    configuration = {
        "version": 1,
        "project": "toy",
        "repo": str(source),
        "branches": ["main"],
        "benchmark_dir": "suite",
        "environment_type": "virtualenv",
        "show_commit_url": "http://name.invalid/commit/",
        "results_dir": "results",
        "html_dir": "html",
    }
    (measured / "asv.conf.json").write_text(json.dumps(configuration))
    write_results(measured, git(source, "rev-list", "--reverse", "main").splitlines())
    return measured


def asv_publish(
    measured: Path, pages: Path, *, ours: bool, environment: dict[str, str] | None = None
) -> str:
    """Run `asv publish` as a user does; the value is all that it prints."""
    configuration = measured / f"asv-{ours}.conf.json"
    base = json.loads((measured / "asv.conf.json").read_text())
    plugins = [".zapbench.asv_kernel.publish"] if ours else []
    configuration.write_text(json.dumps({**base, "plugins": plugins}))
    done = subprocess.run(
        [sys.executable, "-m", "asv", "publish", "--config", configuration, "-o", pages],
        cwd=measured,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=seconds(240),
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def npm_cache(
    require: Callable[[object, str], None], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A cache that npm has filled, or a skip where it cannot be."""
    require(shutil.which("npm"), "there is no npm: apt-get install npm")
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def pages(measured: Path, npm_cache: Path, require: Callable[[object, str], None]) -> Path:
    pages = measured / "html"
    said = asv_publish(measured, pages, ours=True, environment={"ZAPBENCH_CACHE": str(npm_cache)})
    missing = re.search(r"will load scripts from the network: .*", said)
    require(not missing, missing[0] if missing else "")
    return pages


@pytest.fixture(scope="module")
def plain_pages(measured: Path) -> Path:
    """What asv makes of the same results without zapbench."""
    asv_publish(measured, measured / "plain", ours=False)
    return measured / "plain"


def assert_clean(visit: Visit) -> None:
    assert (visit.errors, visit.outside) == ([], [])


def test_pages_of_asv_alone_load_from_elsewhere(plain_pages: Path, browser: Browser) -> None:
    with serve(plain_pages) as origin, browser.visit(origin) as visit:
        assert any("jquery" in address for address in visit.outside)
        assert visit.errors


def test_grid_shows_every_benchmark(pages: Path, browser: Browser) -> None:
    with serve(pages) as origin, browser.visit(origin) as visit:
        visit.page.wait_for_selector("#summarygrid-display a")
        shown = visit.page.inner_text("#summarygrid-display")
        assert "track_plain" in shown
        assert "track_methods" in shown
        assert len(visit.page.query_selector_all("#summarygrid-display canvas")) >= 2
        assert_clean(visit)


def test_graph_is_drawn(pages: Path, browser: Browser) -> None:
    with serve(pages) as origin, browser.visit(f"{origin}#{PLAIN}") as visit:
        visit.page.wait_for_selector("#main-graph canvas")
        assert True in visit.page.evaluate(PAINTED)
        points = visit.page.evaluate("$('#main-graph').data('plot').getData()[0].data.length")
        assert points == COMMITS
        visit.page.click("#date-scale")  # jquery.flot.time
        visit.page.click("#log-scale")
        visit.page.wait_for_function("$('#log-scale').hasClass('active')")
        assert True in visit.page.evaluate(PAINTED)
        assert_clean(visit)


def test_bars_over_a_parameter_are_drawn(pages: Path, browser: Browser) -> None:
    url = f"#{METHODS}?x-axis=method"
    with serve(pages) as origin, browser.visit(f"{origin}{url}") as visit:
        visit.page.wait_for_selector("#main-graph canvas")
        assert True in visit.page.evaluate(PAINTED)
        series = visit.page.evaluate("$('#main-graph').data('plot').getData()")
        assert any(one["bars"]["show"] for one in series)
        parts = visit.page.evaluate("$.plot.plugins.map(plugin => plugin.name)")
        assert {"time", "selection", "categories", "orderBars"} <= set(parts)
        assert_clean(visit)


def test_regressions_are_listed_and_sort(pages: Path, browser: Browser) -> None:
    with serve(pages) as origin, browser.visit(f"{origin}#regressions") as visit:
        visit.page.wait_for_selector("#regressions-body tbody tr")
        rows = "#regressions-body tbody tr"
        shown = [row.inner_text() for row in visit.page.query_selector_all(rows)]
        assert len(shown) == 2
        assert all("1.25" in row for row in shown)
        names = sorted(row.split("\t")[0] for row in shown)
        for direction, first in (("asc", names[0]), ("desc", names[-1])):  # stupidtable
            visit.page.click("#regressions-body thead th:first-child")
            visit.page.wait_for_function(f"location.hash.includes('dir={direction}')")
            begins = "([rows, name]) => document.querySelector(rows).innerText.startsWith(name)"
            visit.page.wait_for_function(begins, arg=[rows, first])
        assert_clean(visit)


def test_list_shows_last_values(pages: Path, browser: Browser) -> None:
    with serve(pages) as origin, browser.visit(f"{origin}#summarylist") as visit:
        visit.page.wait_for_selector("#summarylist-body tbody tr")
        assert len(visit.page.query_selector_all("#summarylist-body tbody tr")) == 3
        assert_clean(visit)


def test_without_npm_or_cache_the_pages_are_asvs_and_one_line_says_why(
    measured: Path, plain_pages: Path, tmp_path: Path
) -> None:
    needed = tmp_path / "bin"
    needed.mkdir()
    for program in ("git", "setpriv"):
        (needed / program).symlink_to(shutil.which(program) or "")
    lacking = {"ZAPBENCH_CACHE": str(tmp_path / "cache"), "PATH": str(needed)}
    said = asv_publish(measured, tmp_path / "html", ours=True, environment=lacking)
    warnings = [line for line in said.splitlines() if "from the network" in line]
    assert len(warnings) == 1, said
    assert f"npm is not installed: {install('npm')}" in warnings[0]
    made = (tmp_path / "html" / "index.html").read_text()
    assert made == (plain_pages / "index.html").read_text()


def test_a_registry_out_of_reach_is_said(
    require: Callable[[object, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(shutil.which("npm"), "there is no npm: apt-get install npm")
    monkeypatch.setenv("ZAPBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    page = '<script src="//name.invalid/npm/a@1/b.js" integrity="sha256-AA="></script>'
    (tmp_path / "index.html").write_text(page)
    with pytest.raises(EnvironmentMissing, match=r"npm pack a@1: .*publish again"):
        publish.vendor(tmp_path)
    assert (tmp_path / "index.html").read_text() == page
    assert not list((tmp_path / "cache" / "npm").iterdir())


ASV_PAGE = """
<link rel="stylesheet" href="https://name.invalid/npm/@scope/a@1.0/css/a.css" integrity="{hash}"
      crossorigin="anonymous">
"""


def packed(cache: Path, style: bytes) -> None:
    """A package as npm would have put it into the cache."""
    place = cache / "npm" / "@scope+a@1.0"
    place.mkdir(parents=True)
    content = place.parent / "package"
    (content / "css").mkdir(parents=True)
    (content / "font").mkdir()
    (content / "css" / "a.css").write_bytes(style)
    (content / "font" / "f.woff").write_bytes(b"font")
    with tarfile.open(place / "a.tgz", "w:gz") as archive:
        archive.add(content, "package")


@pytest.mark.parametrize("altered", [False, True])
def test_only_the_file_with_the_hash_of_the_page_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, altered: bool
) -> None:
    monkeypatch.setenv("ZAPBENCH_CACHE", str(tmp_path / "cache"))
    style = b"@font-face {src: url('../font/f.woff?x#y')} a {background: url(none.png)}"
    packed(tmp_path / "cache", style + b" " * altered)
    page = ASV_PAGE.format(hash="sha256-yDPW0JYT2gkfJ67i6DwKgBXdhrtntY37GwLRo1RtA+k=")
    (tmp_path / "index.html").write_text(page)
    if altered:
        with pytest.raises(EnvironmentMissing, match="no file with the hash"):
            publish.vendor(tmp_path)
        assert (tmp_path / "index.html").read_text() == page
        return
    publish.vendor(tmp_path)
    made = (tmp_path / "index.html").read_text()
    assert 'href="vendor/@scope/a@1.0/css/a.css">' in made
    assert (tmp_path / "vendor/@scope/a@1.0/css/a.css").read_bytes() == style
    assert (tmp_path / "vendor/@scope/a@1.0/font/f.woff").read_bytes() == b"font"
    publish.vendor(tmp_path)
    assert (tmp_path / "index.html").read_text() == made


def test_an_address_of_no_known_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<script src="https://name.invalid/b.js"></script>')
    with pytest.raises(EnvironmentMissing, match=r"name\.invalid/b\.js"):
        publish.vendor(tmp_path)


def test_publish_reports_the_regression_where_it_came_in(project: Project) -> None:
    for number in range(3):
        project.commit(f"before {number}", f"COST=1100 ZAP {number}")
    culprit = project.commit("culprit", "COST=1122 ZAP")
    for number in range(3):
        project.commit(f"after {number}", f"COST=1122 ZAP {number}")
    project.run("main~6..main")
    project.asv("publish")
    text = (project.path / "html/index.json").read_text()
    index = json.loads(text, parse_constant=pytest.fail)  # a browser knows no NaN or Infinity
    revision = next(r for r, commit in index["revision_to_hash"].items() if commit == culprit)
    found = json.loads((project.path / "html/regressions.json").read_text())["regressions"]
    assert any(entry[0].startswith(f"{BENCHMARK}('4k', 'dontneed'") for entry in found)
    jumps = [jump for entry in found for jump in entry[6]]
    assert {str(jump[1]) for jump in jumps} == {revision}
