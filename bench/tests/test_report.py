# SPDX-License-Identifier: GPL-2.0-only
"""Reports are what their records make, say only what these hold, and can be made again."""

import gzip
import json
import re
import shlex
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
import synthetic
from test_chart import FIGURES, written

from zapbench import cli, report
from zapbench.error import UsageError
from zapbench.record import Context, Promise, Samples, encode, load
from zapbench.report.index import index_text
from zapbench.report.source import read
from zapbench.report.study import study
from zapbench.result.store import RECORDS, SUITE

REPORTS = Path(__file__).parents[2] / "reports"
COMMITTED = sorted(path.parent for path in REPORTS.glob("*/report.json"))
EVIL = "6.12<script>alert(1)</script>"
SHMEM = "shmem/4k/4k"


def made(tmp_path: Path, *directories: Path, name: str = "2026-11-22-try") -> Path:
    return report.make(directories, tmp_path / "reports" / name)


def answer(where: Path) -> str:
    page = (where / "index.html").read_text(encoding="utf-8")
    section = re.search(r'<h2 id="answer">.*?</section>', page, re.DOTALL)
    assert section
    return " ".join(re.sub(r"<[^>]*>", " ", section[0]).split())


def contract(method: str, *, lost: Sequence[str] = (), where: str = SHMEM, boot: int = 0):
    names = ("cache", "poison", "no-event", "cow")
    promises = {name: Promise(False, name not in lost, "") for name in names}
    plain = synthetic.contract(synthetic.run_of(boot), f"contract/{method}/{where}")
    return msgspec.structs.replace(plain, promises=promises)


def sample(tmp_path: Path) -> Path:
    """A result directory with contracts, figures and a skip."""
    contracts = [contract("madv_zap"), contract("dontneed", lost=["poison", "no-event"])]
    skip = synthetic.skip(synthetic.run_of(), f"cycle/rwp/{SHMEM}", "no such feature")
    return written(tmp_path / "results", FIGURES, *contracts, skip)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return sample(tmp_path)


def test_made_again_it_is_the_same(tmp_path: Path, results: Path) -> None:
    first = made(tmp_path / "a", results)
    second = made(tmp_path / "b", results)
    assert {p.name: p.read_bytes() for p in first.iterdir()} == {
        p.name: p.read_bytes() for p in second.iterdir()
    }
    assert report.check(first) is None


def test_check_does_not_need_the_results(tmp_path: Path, results: Path) -> None:
    where = made(tmp_path, results)
    (results / RECORDS).unlink()
    assert report.check(where) is None


def spoil(where: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    (where / name).write_bytes(change((where / name).read_bytes()))


@pytest.mark.parametrize("name", ["index.html", "index.md", "cover-letter.txt", "report.json"])
def test_check_names_a_changed_file(tmp_path: Path, results: Path, name: str) -> None:
    where = made(tmp_path, results)
    spoil(where, name, lambda data: data.replace(b"dontneed", b"DONTNEED", 1))
    if name == "report.json":  # a title of one's own is made again; what it says is not
        assert f"{name} differs" in str(report.check(where))
    else:
        assert re.search(rf"{name} differs .* line \d+", str(report.check(where)))


def test_check_names_a_missing_and_a_foreign_file(tmp_path: Path, results: Path) -> None:
    where = made(tmp_path, results)
    chart_file = min(where.glob("*.svg"))
    drawn = chart_file.read_bytes()
    chart_file.unlink()
    assert f"{chart_file.name} is missing" in str(report.check(where))
    chart_file.write_bytes(drawn)
    (where / "extra.txt").touch()
    assert "extra.txt does not belong" in str(report.check(where))


def test_archives_are_compared_by_what_they_hold(tmp_path: Path, results: Path) -> None:
    where = made(tmp_path, results)
    for name in (RECORDS, SUITE):
        spoil(where, name, lambda data: gzip.compress(gzip.decompress(data), 1))
    assert report.check(where) is None
    spoil(where, SUITE, lambda data: gzip.compress(gzip.decompress(data) + b" "))
    assert SUITE in str(report.check(where))
    spoil(where, SUITE, lambda data: data[: len(data) // 2])
    assert f"{SUITE} is damaged" in str(report.check(where))


def test_changed_figures_are_noticed(tmp_path: Path, results: Path) -> None:
    where = made(tmp_path, results)
    old, new = b"[2500,2500,2500]", b"[2400,2400,2400]"
    spoil(where, RECORDS, lambda data: gzip.compress(gzip.decompress(data).replace(old, new)))
    assert "differs" in str(report.check(where))


class Page(HTMLParser):
    """The ids of a page, what refers to them, its headings, and every address in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.referred: list[str] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for key, value in ((key, value or "") for key, value in attrs):
            if key == "id":
                self.ids.append(value)
            elif key in ("aria-labelledby", "aria-describedby"):
                self.referred += value.split()
            elif key in ("href", "xlink:href", "src"):
                self.addresses.append(value)
            self.referred += re.findall(r"url\(#(.*?)\)", value)

    handle_startendtag = handle_starttag


def test_page_asks_for_nothing_and_all_references_lead_somewhere(
    tmp_path: Path, results: Path
) -> None:
    where = made(tmp_path, results)
    page = Page((where / "index.html").read_text(encoding="utf-8"))
    assert len(page.ids) == len(set(page.ids))
    inner = [each.lstrip("#") for each in page.addresses if each.startswith("#")]
    assert {*page.referred, *inner} <= set(page.ids)
    files = {each for each in page.addresses if not each.startswith(("#", "data:"))}
    assert files == {path.name for path in where.glob("*.svg")}
    assert page.tags.count("svg") == len(files) > 0
    assert page.tags.count("h1") == 1


def test_charts_have_a_role_a_title_and_a_description(tmp_path: Path, results: Path) -> None:
    page = (made(tmp_path, results) / "index.html").read_text(encoding="utf-8")
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        assert 'role="img"' in svg
        assert re.search(r"<title id=[^>]*>[^<]{10,}</title><desc id=[^>]*>[^<]{10,}</desc>", svg)


def test_svg_files_stand_alone_and_follow_a_dark_scheme(tmp_path: Path, results: Path) -> None:
    import xml.etree.ElementTree as ET

    for path in made(tmp_path, results).glob("*.svg"):
        root = ET.parse(path).getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "prefers-color-scheme:dark" in path.read_text(encoding="utf-8")


def test_names_with_tags_are_shown_as_text(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    skip = synthetic.skip(synthetic.run_of(0, EVIL), f"cycle/rwp/{SHMEM}", f"no {evil}")
    directory = written(tmp_path / "results", FIGURES, skip, kernel=EVIL)
    gate = {"checks": [{"case": evil, "verdict": "PASS", "why": evil}], "status": evil}
    (directory / "gate.json").write_text(json.dumps(gate))
    where = report.make([directory], tmp_path / "reports" / "evil", title=evil)
    page = (where / "index.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert page.count("<script") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    for name in ("index.md", *(path.name for path in where.glob("*.svg"))):
        text = (where / name).read_text(encoding="utf-8")
        assert "<script>alert" not in re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert report.check(where) is None


def test_control_characters_break_no_chart(tmp_path: Path) -> None:
    where = made(tmp_path, written(tmp_path / "results", FIGURES, kernel="6.12\x01\x1b[31m"))
    assert "6.12\ufffd" in (where / "index.html").read_text(encoding="utf-8")
    assert report.check(where) is None


def test_a_directory_without_data_is_said_so(tmp_path: Path, results: Path) -> None:
    (tmp_path / "void").mkdir()
    alone = made(tmp_path, tmp_path / "void")
    assert "Nothing was measured: there are no records" in answer(alone)
    assert "void holds no records.jsonl.gz" in (alone / "index.md").read_text().replace("\\", "")
    assert report.check(alone) is None
    both = made(tmp_path, tmp_path / "void", results, name="both")
    assert "void holds no" in (both / "index.html").read_text(encoding="utf-8")
    assert report.check(both) is None


def test_an_empty_record_file_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / RECORDS).touch()
    where = made(tmp_path, tmp_path / "begun")
    assert "begun holds no finished measurement" in (where / "index.html").read_text()
    assert report.check(where) is None


def test_only_skips_make_a_report_with_their_reasons(tmp_path: Path) -> None:
    skips = [synthetic.skip(synthetic.run_of(), f"cycle/rwp/{SHMEM}", "no such feature")]
    where = made(tmp_path, written(tmp_path / "results", {}, *skips))
    assert "Nothing was measured: no case has a figure" in answer(where)
    assert "no such feature" in (where / "index.html").read_text(encoding="utf-8")
    assert "no such feature" in (where / "cover-letter.txt").read_text(encoding="utf-8")
    assert report.check(where) is None


def test_mixed_units_stand_apart(tmp_path: Path, results: Path) -> None:
    counted = written(tmp_path / "counted", FIGURES, tier="icount", unit="instructions")
    where = made(tmp_path, results, counted)
    page = (where / "index.html").read_text(encoding="utf-8")
    assert "Mixed units: figures in ns and in instructions" in page
    assert "From instructions to time" in page  # the bridge
    assert report.check(where) is None


def test_a_record_in_another_unit_than_its_stream_is_left_out(tmp_path: Path) -> None:
    odd = synthetic.samples(synthetic.run_of(), f"zap/remap/{SHMEM}", (7, 7), unit="instructions")
    where = made(tmp_path, written(tmp_path / "results", FIGURES, odd))
    page = (where / "index.html").read_text(encoding="utf-8")
    assert "1 record in another unit than ns left out" in page
    assert f"zap/remap/{SHMEM}" not in page


def test_names_that_this_zapbench_does_not_know_are_shown(tmp_path: Path) -> None:
    more = {f"cycle/novel/{SHMEM}": (7, 8, 9), f"later/dontneed/{SHMEM}": (5, 6, 7)}
    where = made(tmp_path, written(tmp_path / "results", FIGURES | more))
    page = (where / "index.html").read_text(encoding="utf-8")
    assert f"cycle/novel/{SHMEM}" in page
    assert f"later/dontneed/{SHMEM}" in page


def test_a_stream_that_was_cut_off_is_said_so(tmp_path: Path, results: Path) -> None:
    lines = (results / RECORDS).read_bytes().splitlines(keepends=True)
    (results / RECORDS).write_bytes(b"".join(lines[:-1]))
    where = made(tmp_path, results)
    assert "1 stream of 3 cut off" in (where / "index.html").read_text(encoding="utf-8")
    assert report.check(where) is None


def test_boots_of_two_directories_are_told_apart(tmp_path: Path) -> None:
    one = written(tmp_path / "one", {f"cycle/dontneed/{SHMEM}": (10, 10, 10)})
    two = written(tmp_path / "two", {f"cycle/dontneed/{SHMEM}": (20, 20)})
    where = made(tmp_path, one, two)
    boots = {
        record.run.boot: record.values[0]
        for record in load(where / RECORDS).of(Samples)
        if record.values
    }
    assert boots == {0: 10, 1: 10, 2: 10, 3: 20, 4: 20}
    assert report.check(where) is None


def test_machines_are_told_apart(tmp_path: Path, results: Path) -> None:
    streams = []
    for record in load(results / RECORDS).records:
        new = (
            msgspec.structs.replace(record, cpu="another")
            if isinstance(record, Context)
            else record
        )
        streams.append(encode(new))
    other = tmp_path / "other"
    other.mkdir()
    (other / RECORDS).write_bytes(b"".join(streams))
    groups = study(read([results, other], "")).groups
    assert [group.machine for group in groups] == ["none", "another"]
    assert {len(group.results.contexts) for group in groups} == {3}


def test_letter_fits_72_columns(tmp_path: Path, results: Path) -> None:
    long = written(tmp_path / "long", FIGURES, kernel="6.12-" + "very-long-name" * 9)
    text = (made(tmp_path, results, long) / "cover-letter.txt").read_text(encoding="utf-8")
    assert max(map(len, text.splitlines())) <= 72
    assert "dontneed" in text
    assert "zapbench report --check" in text


def test_commands_of_the_letter_are_those_of_the_page(tmp_path: Path) -> None:
    kernel = "6.12-" + "very-long-name" * 9
    directory = written(
        tmp_path / "long", FIGURES, kernel=kernel, tier="icount", unit="instructions"
    )
    where = report.make([directory], tmp_path / "reports/x", title="It's \n a title, & long " * 4)
    letter = (where / "cover-letter.txt").read_text(encoding="utf-8")
    commands = letter.partition("To make it again:")[2].replace("\\\n", "").splitlines()
    assert max(map(len, letter.splitlines())) <= 72
    (run_again, made_again) = (
        next(shlex.split(line) for line in commands if line.strip().startswith(start))
        for start in ("zapbench run", "zapbench report results")
    )
    assert run_again[run_again.index("--kernel") + 1] == kernel
    assert made_again[made_again.index("--title") + 1] == " ".join(["It's a title, & long"] * 4)


def test_paths_of_the_machine_are_not_published(tmp_path: Path) -> None:
    run = synthetic.run_of()
    plain = synthetic.context(run)
    private = msgspec.structs.replace(
        plain,
        argv=("/home/someone/zapbench-guest", "--cases", "/tmp/secret/cases-1", "cycle/a/b/4k/4k"),
        cmdline="mitigations=auto rdinit=/secret_init hugepages=4 vendor.x=1 -- --listen 1",
    )
    skip = synthetic.skip(run, f"zap/rwp/{SHMEM}", "cannot open /srv/secret/file: no")
    lines = synthetic.stream(run, skip)
    directory = tmp_path / "results"
    directory.mkdir()
    (directory / RECORDS).write_bytes(b"".join([encode(private), *lines[1:]]))
    where = made(tmp_path, directory)
    text = gzip.decompress((where / RECORDS).read_bytes()).decode()
    assert "secret" not in text.replace("secret/", "")
    assert not re.search(r"/(home|tmp|srv)\b", text)
    (context,) = load(where / RECORDS).of(Context)
    assert context.argv == ("zapbench-guest", "--cases", "cases-1", "cycle/a/b/4k/4k")
    assert context.cmdline == "mitigations=auto hugepages=4"


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main([str(argument) for argument in arguments])
    return int(left.value.code or 0)


def test_command_makes_checks_and_lists(
    tmp_path: Path, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = tmp_path / "reports/2026-11-22-try"
    assert run("report", results, "-o", where) == 0
    assert run("report", "--check", "-o", where) == 0
    index = (tmp_path / "reports/README.md").read_text(encoding="utf-8")
    assert "[Try, 2026-11-22](2026-11-22-try/index.md)" in index
    assert run("report", results, "-o", where, "--title", "Better") == 0
    assert "[Better]" in (tmp_path / "reports/README.md").read_text(encoding="utf-8")
    (tmp_path / "reports/README.md").write_text("stale")
    assert run("report", "--check", "-o", where) == 1
    assert "is not the index" in capsys.readouterr().err
    assert run("report", "--csv", results) == 0
    assert capsys.readouterr().out.startswith("kernel,tier,")


def test_no_index_is_written_where_others_live(tmp_path: Path, results: Path) -> None:
    assert run("report", results, "-o", tmp_path / "elsewhere/x") == 0
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["x"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["{results}"],
        ["--check"],
        ["--check", "-o", "{results}"],
        ["{tmp}/nowhere", "-o", "{tmp}/r"],
        ["{results}", "-o", "{results}"],
        ["--csv", "{results}", "-o", "{tmp}/r"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_line(
    tmp_path: Path, results: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    filled = [each.format(results=results, tmp=tmp_path) for each in arguments]
    assert run("report", *filled) == 2
    error = capsys.readouterr().err
    assert error.startswith("zapbench: ")
    assert error.count("\n") == 1
    assert (results / RECORDS).is_file()


def test_a_report_is_made_anew_from_itself(tmp_path: Path, results: Path) -> None:
    (tmp_path / "void").mkdir()
    where = report.make([results, tmp_path / "void"], tmp_path / "reports/x", "A title")
    before = {path.name: path.read_bytes() for path in where.iterdir()}
    (where / "index.html").write_text("made by an older zapbench")
    assert run("report", "-o", where) == 0
    assert {path.name: path.read_bytes() for path in where.iterdir()} == before


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.name)
def test_committed_report_is_what_its_records_make(path: Path) -> None:
    assert report.check(path) is None


def test_committed_index_lists_the_committed_reports() -> None:
    text = (REPORTS / "README.md").read_text(encoding="utf-8")
    assert text == index_text(REPORTS)


def test_a_foreign_directory_is_not_replaced(tmp_path: Path, results: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="no report"):
        report.make([results], mine)
    assert (mine / "thesis.txt").read_text() == "years of work"


def test_what_stands_beside_a_report_is_kept(tmp_path: Path, results: Path) -> None:
    where = made(tmp_path, results)
    (where / "NOTES.md").write_text("by hand\n")
    (where / "results/icount").mkdir(parents=True)
    assert report.check(where) is None
    report.make([], where)
    assert (where / "NOTES.md").read_text() == "by hand\n"
    assert (where / "results/icount").is_dir()
