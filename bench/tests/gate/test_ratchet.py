# SPDX-License-Identifier: GPL-2.0-only
"""Limits that a passing gate tightens, as a diff that patch(1) and git apply."""

import re
import shutil
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from gate_boots import QUIET, SIX, Gate, MakeResult, slower
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from zapbench.gate.budget import Limit, parse, rewritten

LOOSE = """\
# What was seen is in each reason.
[[budget]]
cases = "zap/dontneed/shmem/4k/64k" # "limit" = "+9 %"
limit = '+5%' # of the base
tier = "icount"
reason = "with \u2028 in it, and limit = "

[[budget]]
reason = '''
[[budget]]
limit = "+8 %"
'''
cases = "zap/dontneed/shmem/4k/64k"
  "limit"  =  "0.9 x zap/remap"
tier = "icount"

[[budget]]
cases = "zap/*/shmem/4k/64k"
limit = "40000 instructions"
reason = "a number"
"""
LIMITS = re.compile(
    r"""^limit = '\+([\d.]+) %'|^  "limit"  =  "([\d.]+) x|^limit = "(\d+) ins""", re.MULTILINE
)
APPLY = {
    "patch": ["patch", "-p0", "--quiet"],
    "git": ["git", "apply", "-"],
}


@pytest.fixture
def results(result: MakeResult) -> list[Path]:
    """A head that is one per cent dearer."""
    return [result("base", SIX), result("head", slower(SIX, 1.01))]


@pytest.mark.parametrize("program", APPLY)
@pytest.mark.parametrize("change", [lambda text: text, str.rstrip])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_limits_are_tightened_to_what_passes(
    gate: Gate,
    results: list[Path],
    tmp_path: Path,
    require: Callable[[object, str], None],
    program: str,
    change: Callable[[str], str],
    end: str,
) -> None:
    require(shutil.which(program), f"{program} is not installed")
    text = change(LOOSE).replace("\n", end)
    path = tmp_path / "b.toml"

    def judge(*more: str) -> tuple[int, str, str]:
        done = gate(*results, *more, budgets=path.read_bytes().decode())
        return done.status, done.out, done.err

    path.write_bytes(text.encode())
    status, diff, said = judge("--ratchet")
    assert status == 0
    assert said == "zapbench: PASS: 4 PASS\n"
    subprocess.run(APPLY[program], input=diff.encode(), cwd=tmp_path, check=True)
    changed = path.read_bytes().decode()
    percent, ratio, count = ("".join(groups) for groups in LIMITS.findall(changed))
    assert 1 <= float(percent) <= 1.5  # one, and what boots differ by
    assert 0.5 <= float(ratio) <= 0.505
    assert 20_200 <= float(count) <= 20_400
    text = text.replace("+5%", f"+{percent} %").replace("0.9 x", f"{ratio} x")
    assert changed == text.replace("40000", count)
    assert judge()[0] == 0
    assert judge("--ratchet")[:2] == (0, "")


@pytest.mark.parametrize("program", APPLY)
def test_a_file_in_a_directory_is_found_from_here(
    gate: Gate, results: list[Path], tmp_path: Path, program: str
) -> None:
    (tmp_path / "bench").mkdir()
    path = tmp_path / "bench/b.toml"
    path.write_text(LOOSE)
    done = gate(*results, "--ratchet", path="bench/b.toml")
    subprocess.run(APPLY[program], input=done.out.encode(), cwd=tmp_path, check=True)
    assert path.read_text() != LOOSE
    assert gate(*results, "--ratchet", path="bench/b.toml").out == ""


@given(st.lists(st.floats(0.98, 1.02), min_size=6, max_size=8))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([1.0] * 7 + [1.01])  # one boot is beyond the end of the interval
def test_whatever_boots_pass_by_the_limits_that_they_are_given(
    gate: Gate, result: MakeResult, tmp_path: Path, factors: list[float]
) -> None:
    base = [1e6] * len(factors)
    head = [figure * factor for figure, factor in zip(base, factors, strict=True)]
    both = [
        result(f"{name}-{uuid.uuid4()}", boots, name)
        for name, boots in (("base", base), ("head", head))
    ]
    wide = LOOSE.replace("40000", "9000000")
    done = gate(*both, "--ratchet", budgets=wide)
    if done.status:
        assert "+limit" not in done.out
        return
    apply = APPLY["patch"]
    subprocess.run(apply, input=done.out.encode(), cwd=tmp_path, check=True)
    changed = (tmp_path / "b.toml").read_text()
    assert changed != wide
    assert gate(*both, budgets=changed).status == 0
    assert gate(*both, "--ratchet", budgets=changed).out == ""


def test_what_does_not_pass_is_left_alone(gate: Gate, result: MakeResult) -> None:
    both = result("base", SIX), result("head", slower(SIX, 1.1))
    tight = LOOSE.replace("40000", "20000").replace("0.9 x", "0.500001 x")
    done = gate(*both, "--ratchet", budgets=tight)
    assert done.status == 1
    assert done.out == ""
    assert "zapbench: FAIL: " in done.err


def test_what_a_waiver_lets_pass_is_left_alone(gate: Gate, result: MakeResult) -> None:
    waiver = """
[[waiver]]
cases = "zap/dontneed/*"
up_to = "+20 %"
reason = "for now"
expires = 9999-12-31
"""
    both = result("base", SIX), result("head", slower(SIX, 1.1))
    done = gate(*both, "--ratchet", budgets=LOOSE + waiver)
    assert done.status == 0
    assert "'+5%'" not in done.out
    assert '-  "limit"  =  "0.9 x zap/remap"\n+  "limit"  =  "0.5' in done.out


def test_a_tier_that_was_not_judged_and_a_file_elsewhere_are_said(
    gate: Gate, results: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets = LOOSE.replace('tier = "icount"\n', "", 1)
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    done = gate(*results, "--ratchet", budgets=budgets, path="../b.toml")
    assert "b.toml, line 2: it is for native and kvm, too, not judged here" in done.err
    assert f"apply it in {tmp_path}" in done.err
    assert done.out.startswith("--- ./b.toml\n+++ ./b.toml\n")


def test_a_limit_of_several_lines_is_said_not_changed(gate: Gate, results: list[Path]) -> None:
    done = gate(*results, "--ratchet", budgets=LOOSE.replace("'+5%'", "'''\n+5%'''"))
    assert "line 2: the limit could be '+1." in done.err
    assert "+1." not in done.out


def test_a_format_is_for_files_then(gate: Gate, results: list[Path], tmp_path: Path) -> None:
    assert "write the judgement to a file" in gate(*results, "--ratchet", "--json").line
    assert gate(*results, "--ratchet", "-o", "v.json", budgets=LOOSE).status == 0
    assert '"status": "PASS"' in (tmp_path / "v.json").read_text()


def test_boots_of_one_kernel_pass_their_own_ratchet(gate: Gate, result: MakeResult) -> None:
    done = gate(result("base", QUIET), result("head", QUIET), "--ratchet", budgets=LOOSE)
    assert done.status == 0
    assert "+limit = '+0." in done.out


PATH = Path("made-up")


@given(
    st.sampled_from(["+2 %", "900ns", "2.5 us", "2300 instructions", "0.5 x cycle/remap"]),
    st.floats(1e-3, 1e6),
)
def test_a_limit_is_rewritten_never_below_and_a_thousandth_above(form: str, factor: float) -> None:
    def read(text: str) -> Limit:
        table = f'[[budget]]\ncases = "zap/remap/shmem/4k/64k"\nreason = "r"\nlimit = "{text}"\n'
        (budget,) = parse(PATH, table).budgets
        return budget.limit

    limit = read(form)
    made = rewritten(limit, factor)
    again = read(made.text)
    assert again == made
    assert again.replaces(limit)
    assert factor * (1 - 1e-9) <= again.factor <= max(factor + 0.001, factor * 1.01) * (1 + 1e-9)
    assert rewritten(again, again.factor) == again
