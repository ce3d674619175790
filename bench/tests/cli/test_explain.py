# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench explain``, on kernels that are built and booted."""

import json
import os
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from command import SMALL, Command, Outcome, fail

from zapbench import cli
from zapbench.error import EnvironmentMissing
from zapbench.explain import plugin
from zapbench.kernel import build, catalogue
from zapbench.record import Samples, encode
from zapbench.result.store import Results
from zapbench.vm.qemu import PROGRAM

BASE, HEAD = "6.12", "6.12+madv-zap"
LARGE = "zap/dontneed/shmem/4k/2m"
ZAP, DROP = (f"zap/{method}/shmem/4k/4k" for method in ("madv_zap", "dontneed"))


@pytest.fixture
def kernels(require: Callable[[object, str], None]) -> None:
    """Both are built, and QEMU takes the plugin."""
    try:
        for name in (BASE, HEAD):
            build.build(catalogue.parse(name))
        plugin.choose()
    except EnvironmentMissing as error:
        require(False, str(error))


def sums(found: dict[str, Any]) -> None:
    """All figures are whole, and functions and paths add up to the total on each side."""
    for side, total in found["total"].items():
        for parts in ("functions", "paths"):
            assert sum(each[side] for each in found[parts]) == total
    assert found["unexplained"] == 0


def change(found: dict[str, Any]) -> Fraction:
    return Fraction(found["total"]["head"] - found["total"]["base"], found["operations"])


def changes(found: dict[str, Any]) -> dict[str, Fraction]:
    return {
        each["name"]: Fraction(each["head"] - each["base"], found["operations"])
        for each in found["functions"]
        if each["head"] != each["base"]
    }


@pytest.mark.kernel
@pytest.mark.timeout(1800)
def test_the_difference_of_two_kernels_is_the_sum_of_its_functions(
    kernels: None, zapbench: Command, tmp_path: Path
) -> None:
    files = {suffix: tmp_path / f"e{suffix}" for suffix in (".json", ".md", ".folded", ".svg")}
    wanted = [word for file in files.values() for word in ("-o", file)]
    done = zapbench("explain", BASE, HEAD, LARGE, *wanted)
    assert done.status == 0, done.err
    found = json.loads(files[".json"].read_text())
    sums(found)
    assert found["of"] == {"base": BASE, "head": HEAD}
    assert sum(changes(found).values()) == change(found) != 0
    assert set(changes(found)) <= {"unmap_page_range", "do_madvise", "zap_page_range_single"}
    assert f"{float(change(found)):+,.2f}  total" in done.out
    assert "of them unchanged" in done.out
    assert f"{BASE}: mean " in done.out
    lines = files[".folded"].read_text().splitlines()
    figures = [tuple(map(int, line.rsplit(" ", 2)[1:])) for line in lines]
    totals = tuple(map(sum, zip(*figures, strict=True)))
    assert totals == (found["total"]["base"], found["total"]["head"])
    assert "| `unmap_page_range` |" in files[".md"].read_text()
    assert "<title>unmap_page_range: " in files[".svg"].read_text()


@pytest.mark.kernel
@pytest.mark.timeout(1800)
def test_a_method_against_another_on_one_kernel(kernels: None, zapbench: Command) -> None:
    done = zapbench("explain", HEAD, ZAP, "--against-method", "dontneed", "--json")
    assert done.status == 0, done.err
    found = json.loads(done.out)
    sums(found)
    assert change(found) == Fraction("-241.75")
    moved = changes(found)
    assert sum(moved.values()) == change(found)
    assert moved["do_madvise"] == -26
    assert moved["find_vma_prev"] == -34
    notes = {each["name"]: each.get("note") for each in found["functions"]}
    assert notes["userfaultfd_remove"] == "head does not call it"
    assert notes["mas_find"] == "base does not call it"
    assert found["of"] == {"base": "dontneed", "head": "madv_zap"}


@pytest.mark.kernel
@pytest.mark.timeout(1800)
def test_results_are_explained_by_booting_their_kernel_again(
    kernels: None, zapbench: Command, tmp_path: Path
) -> None:
    """All that was recorded is explained, so that the boot is the recorded one to the digit."""
    directory = tmp_path / "r"
    words = ("--kernel", HEAD, "--accel", "icount", "--boots", 1, "--seed", 5, "--quick")
    assert zapbench("run", ZAP, DROP, *words, "-o", directory).status == 0
    done = zapbench("explain", directory, ZAP, DROP, "--json")
    assert done.status == 0, done.err
    results = Results(directory)
    records = {each.case: each for each in results.recording.of(Samples)}
    for found in json.loads(done.out):
        sums(found)
        record = records[found["case"]]
        values = record.values or ()
        net = sum(values) - len(values) * record.empty
        assert (found["total"], found["operations"]) == (
            {"head": net},
            len(values) * record.ops_per_sample,
        )
    assert results.build_id is not None
    build_id, other = results.build_id, tmp_path / "other"
    other.mkdir()
    text = b"".join(map(encode, results.recording.records))
    (other / "records.jsonl").write_bytes(text.replace(build_id.encode(), b"0" * len(build_id)))
    failed = zapbench("explain", other, ZAP)
    assert failed.status == 2
    assert failed.err.count("\n") == 2  # the other says what is booted
    assert f"is of build {'0' * 12} of {HEAD}, which is build {build_id[:12]} now" in failed.err


@pytest.mark.kernel
@pytest.mark.timeout(1800)
def test_the_dearest_sample_and_the_whole_case(kernels: None, zapbench: Command) -> None:
    done = zapbench("explain", HEAD, ZAP, "--sample", "max", "--json")
    found = json.loads(done.out)
    sums(found)
    assert found["total"]["head"] >= found["total"]["base"]
    assert found["of"]["base"].endswith(", the median one")
    done = zapbench("explain", HEAD, ZAP, "--deferred", "--top", 3)
    assert done.status == 0, done.err
    assert "the whole case, with what was put off" in done.out
    *shown, others, total = [
        line for line in done.out.partition("\n\n")[2].splitlines()[1:6] if line.strip()
    ]
    assert "others)" in others
    figures = [round(100 * float(line.split()[0].replace(",", ""))) for line in [*shown, others]]
    assert len(shown) == 3
    assert sum(figures) == round(100 * float(total.split()[0].replace(",", "")))


@pytest.mark.kernel
@pytest.mark.timeout(1800)
def test_a_case_that_a_kernel_skips_is_a_line(kernels: None, zapbench: Command) -> None:
    done = zapbench("explain", BASE, ZAP, DROP, "--top", 2)
    assert done.status == 1
    assert f"zapbench: {ZAP} was skipped on {BASE}: " in done.err
    assert f"{DROP}\n" in done.out
    assert ZAP not in done.out


@pytest.mark.kernel
@pytest.mark.timeout(1800)
def test_an_image_without_its_map_is_a_line(
    kernels: None, zapbench: Command, tmp_path: Path
) -> None:
    image = build.build(catalogue.parse(HEAD)).bzimage
    foreign = shutil.copy(image, tmp_path / "bzImage")
    done = zapbench("explain", foreign, ZAP)
    assert done.status == 2
    assert "there is no System.map next to " in done.err


def test_a_qemu_without_plugins_is_a_line_before_anything_is_built(
    zapbench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    qemu = tmp_path / PROGRAM
    qemu.write_text("#!/bin/sh\necho 'qemu: -plugin: invalid option'\nexit 1\n")
    qemu.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    done = zapbench("explain", BASE, ZAP)
    assert done.status == 2
    _, said = done.err.splitlines()
    assert said == "zapbench: this QEMU was built without TCG plugins (--enable-plugins)"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((BASE, HEAD, ZAP, "--against-method", "dontneed"), "--against-method is about one kernel"),
        ((BASE, ZAP, "--against-method", "remop"), "no method is called 'remop'"),
        ((BASE, "zap/remap/nowhere/4k/4k"), "cannot be measured"),
        ((BASE, ZAP, "-o", "e.pdf"), "no format is called '.pdf'"),
        ((BASE, ZAP, DROP, "-o", "e.svg"), "e.svg can hold one case, and these are 2"),
        ((BASE,), "and a case"),
    ],
)
def test_wrong_words_are_a_line(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert said in fail(capsys, "explain", *words)


def test_a_native_result_is_a_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    shutil.copy(SMALL, tmp_path / "records.jsonl")
    assert "has tier native: only what was counted" in fail(capsys, "explain", tmp_path, ZAP)


def test_the_command_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.COMMANDS["explain"] in Outcome(capsys, ["--help"]).out
