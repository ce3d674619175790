# SPDX-License-Identifier: GPL-2.0-only
"""Every command with output that goes nowhere, or cannot say what is said."""

import contextlib
import errno
import io
import itertools
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from command import Command, Outcome
from drawn import FIGURES, written
from limits import seconds, until
from made_bridge import COUNTED, TIMED, figures
from made_report import sample

from zapbench import report
from zapbench.cli import BROKEN_PIPE, FAILED
from zapbench.cli.options import BISECT_ABORT

CASE = "mprotect/anon/4k/4k"
ODD = os.fsdecode(b"od\xff")
"""The name of a directory that is no text in UTF-8."""
BUDGETS = """\
[[budget]]
cases = "cycle/dontneed/shmem/4k/4k"
limit = "0.5 x cycle/remap"
reason = "the call alone is cheap"
"""


@dataclass(frozen=True)
class Row:
    """A command; ``files`` are what it makes, ``answers`` whether it prints anything."""

    words: str
    files: tuple[str, ...] = ()
    answers: bool = True
    same: bool = True
    """Whether it prints the same each time."""


RUN = f"run zap/{CASE} --boots 1 -o new"
COMMANDS = (
    Row("--help"),
    Row("--version"),
    Row("doctor", same=False),
    Row("doctor --restore"),
    Row(f"list zap/{CASE}"),
    Row(RUN, ("new/records.jsonl.gz", "new/suite.json.gz"), same=False),
    Row(f"{RUN} --json", ("new/suite.json.gz",), same=False),
    Row(f"contract contract/{CASE}"),
    Row(f"calibrate zap/{CASE} --boots 2 -o new", ("state/noise-native.json",), same=False),
    Row("repair {odd}", ("{odd}/suite.json.gz",)),
    Row("compare {odd} {made}/results"),
    Row("compare {odd} {made}/results --json"),
    Row("bridge {made}/native {made}/icount -o b.svg", ("b.svg",)),
    Row("chart {odd} -o c.svg", ("c.svg",), answers=False),
    Row("chart {odd} -o c.svg --json", ("c.svg",)),
    Row("gate --budgets {made}/b.toml {made}/icount -o g.md -o g.xml", ("g.md", "g.xml")),
    Row("gate --budgets {made}/b.toml {made}/icount --format json -o g.json", ("g.json",)),
    Row("report {odd} -o {odd}2 --title µ", ("{odd}2/index.html",), answers=False),
    Row("report {odd} -o {odd}2 --json", ("{odd}2/index.html",)),
    Row("report --csv {odd}"),
    Row("report --check -o {made}/2026-11-22-µ", answers=False),
    Row("kernel list"),
    Row("asv setup", (".asv-machine.json",)),
)


@dataclass(frozen=True)
class Kind:
    """How output is bad: what is set, where streams go, and what becomes of an answer."""

    env: tuple[tuple[str, str], ...] = ()
    streams: str = ""
    encoding: str = "utf-8"
    status: int = 0
    said: str = ""


POSIX = (("LC_ALL", "POSIX"), ("PYTHONUTF8", "0"), ("PYTHONCOERCECLOCALE", "0"))
FULL = "No space left on device"
ENCODINGS = {
    "ascii, errors closed": Kind((("PYTHONIOENCODING", "ascii"),), "2>&-", "ascii"),
    "POSIX, errors full": Kind(POSIX, "2>/dev/full", "ascii"),
    "latin-1": Kind((("PYTHONIOENCODING", "latin-1"),), encoding="latin-1"),
}
STREAMS = {
    "closed": Kind(streams=">&-", status=FAILED, said="Bad file descriptor"),
    "full": Kind(streams=">/dev/full", status=FAILED, said=FULL),
    "gone": Kind(streams=">&3", status=BROKEN_PIPE),
    "full, POSIX": Kind(POSIX, ">/dev/full", status=FAILED, said=FULL),
    "all closed": Kind(streams="<&- >&- 2>&-", status=FAILED),
    "gone, with errors": Kind(streams=">&3 2>&1", status=BROKEN_PIPE),
}


def pairs() -> Iterator[tuple[Row, str, Kind]]:
    """Each command with one kind of either table by turns: all with all would take minutes."""
    for table in (ENCODINGS, STREAMS):
        for row, (name, kind) in zip(COMMANDS, itertools.cycle(table.items()), strict=False):
            yield row, name, kind


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results, and a report of them."""
    where = tmp_path_factory.mktemp("made")
    results = sample(where)
    written(where / "native", figures(TIMED, 1000))
    counted = figures(COUNTED, 4000)
    written(where / "icount", counted, tier="icount", unit="instructions", kernel="6+z")
    (where / "b.toml").write_text(BUDGETS)
    report.make([results], where / "2026-11-22-µ")
    return where


def prepared(row: Row, made: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Go to a new directory, with results in one of an odd name; the words of the command."""
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setenv("ZAPBENCH_STATE", str(place / "state"))
    written(place / ODD, FIGURES)
    return [word.format(odd=ODD, made=made) for word in row.words.split()]


def end(words: Sequence[str], kind: Kind) -> subprocess.CompletedProcess[bytes]:
    """Run a command as a process with bad output; descriptor 3 is a pipe without a reader."""
    reader, writer = os.pipe()
    os.close(reader)
    command = f'exec "$@" {kind.streams.replace("3", str(writer))}'
    try:
        return subprocess.run(
            ["bash", "-c", command, "bash", sys.executable, "-m", "zapbench", *words],
            env={**os.environ, **dict(kind.env)},
            capture_output=True,
            check=False,
            timeout=seconds(120),
            pass_fds=[writer],
        )
    finally:
        os.close(writer)


def answer(capsys: pytest.CaptureFixture[str], words: Sequence[str]) -> Outcome:
    """Run a command in this process, with output that takes everything."""
    for stream in (sys.stdout, sys.stderr):
        assert isinstance(stream, io.TextIOWrapper)
        stream.reconfigure(errors="replace")
    return Outcome(capsys, words)


@pytest.mark.parametrize(
    ("row", "kind"),
    [pytest.param(row, kind, id=f"{row.words} ({name})") for row, name, kind in pairs()],
)
def test_printing_never_fails(
    row: Row,
    kind: Kind,
    made: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    good = answer(capsys, prepared(row, made, tmp_path / "good", monkeypatch))
    assert bool(good.out) == row.answers
    assert "json" not in row.words or good.out.isascii()
    done = end(prepared(row, made, tmp_path / "bad", monkeypatch), kind)
    assert b"Traceback" not in done.stderr + done.stdout, done.stderr.decode()
    for file in row.files:
        assert (tmp_path / "bad" / file.format(odd=ODD)).stat().st_size > 0, file
    assert done.returncode == (good.status or (kind.status if row.answers else 0)), done
    if row.answers and kind.said and good.status == 0:
        *_, last = done.stderr.decode().splitlines()
        assert last.startswith(f"zapbench: cannot write the output: {kind.said}; ")
    if row.same and not kind.status:
        assert done.stdout == good.out.encode(kind.encoding, "replace")


def test_what_was_measured_is_shown_by_a_command_where_it_could_not_be_printed(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = prepared(Row(RUN), made, tmp_path / "a b", monkeypatch)
    done = end(words, STREAMS["full"])
    *_, last = done.stderr.decode().splitlines()
    said, _, command = last.partition("; what was measured is kept, and shown by: ")
    assert said == f"zapbench: cannot write the output: {FULL}; make room"
    assert command == "zapbench run --resume -o new"
    assert "zap: anon, 4k pages" in answer(capsys, shlex.split(command)[1:]).out
    for other in ("compare {odd} {odd}", "kernel list"):
        words = prepared(Row(other), made, tmp_path / other.split(maxsplit=1)[0], monkeypatch)
        *_, last = end(words, STREAMS["full"]).stderr.decode().splitlines()
        assert last == f"zapbench: cannot write the output: {FULL}; make room; try again"


@pytest.mark.parametrize(
    "row", [row for row in COMMANDS if row.files and row.answers], ids=lambda row: row.words
)
def test_results_are_kept_before_anything_is_printed(
    row: Row, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody reads what is printed, so that the command waits for ever."""
    words = prepared(row, made, tmp_path / "place", monkeypatch)
    files = [Path(file.format(odd=ODD)) for file in row.files]
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writer, bytes(4096)):
            pass
    os.set_blocking(writer, True)
    command = [sys.executable, "-m", "zapbench", *words]
    with subprocess.Popen(command, stdout=writer, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: all(file.exists() for file in files), "what is kept")
            assert process.poll() is None
        finally:
            process.kill()
    os.close(reader)
    os.close(writer)


def test_what_the_system_refuses_is_one_line(
    zapbench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    done = zapbench("contract", f"contract/{CASE}")
    assert done.line == "zapbench: No such file or directory; see to it and try again\n"
    assert done.status == FAILED


def test_a_pipe_that_is_not_the_output_is_none_of_it(
    zapbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    monkeypatch.setattr("zapbench.cli.doctor.examine", broken)
    done = zapbench("doctor")
    assert done.line == "zapbench: a pipe to another program broke; try again\n"
    assert done.status == FAILED


ODD_WORDS = (
    "{odd}",
    "run zap/{odd}",
    "run zap/" + CASE + " --boots 1 -o {odd}/new",
    "run --resume -o {odd}/absent",
    "run --accel {odd}",
    "run --kernel ./{odd}/bzImage",
    "run --kernel {odd}",
    "compare {odd} {odd}/absent",
    "compare {made}/b.toml {odd}",
    "bridge {odd} {odd} -o {odd}/b.svg",
    "bridge {made}/native {made}/icount -o {odd}/b.svg -o {odd}/b.png",
    "bridge {made}/native {made}/icount -o {odd}",
    "chart {odd} -o {odd}/c.svg -o {odd}/c.png",
    "gate --budgets {odd}/b.toml {odd}",
    "gate --budgets {made}/b.toml {made}/icount -o {odd}/g.md -o {odd}/g.txt -o {odd}/g.mail",
    "gate --budgets {made}/b.toml {made}/icount -o {odd}/g.ktap -o {odd}/g.xml -o {odd}/g.json",
    "gate --budgets {made}/b.toml {odd} -o {odd}",
    "gate --budgets {made}/b.toml --kernel {odd} --results {odd}/r",
    "report {odd} -o reports/{odd} --title {odd}",
    "report {odd} -o {odd}",
    "report --check -o {odd}",
    "kernel fetch {odd}",
    "kernel fetch git:{odd}@HEAD",
    "kernel fetch git:{made}@{odd}",
    "kernel fetch tar:{odd}@" + 64 * "0",
    "kernel build 6.12+{odd} --config {odd}",
    "kernel boot ./{odd}/bzImage -c {odd}",
    "kernel history -o {odd}/h --from git:{odd}",
    "kernel history -o {odd}/h --kernels {odd}",
    "kernel judge zap/" + CASE + " --above 1 --commit {odd}",
    "asv import {odd} --machine {odd} --commit {odd} --config {odd}",
    "asv export {odd} -o {odd}/e --config {odd}/asv.conf.json",
    "asv rebuild --config {odd}",
)


@pytest.mark.parametrize("words", ODD_WORDS)
def test_a_name_that_is_no_text_is_no_traceback(
    words: str,
    made: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = answer(capsys, prepared(Row(words), made, tmp_path / ODD, monkeypatch))
    assert done.status in (0, 1, FAILED, 4, BISECT_ABORT)
    assert done.status == 0 or done.err.startswith("zapbench: ")
