# SPDX-License-Identifier: GPL-2.0-only
"""Verdicts over result directories that are made up."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from gate_boots import (
    BUDGETS,
    OLD,
    PAIRED,
    QUIET,
    RELATIVE,
    REMAP,
    SIX,
    ZAP,
    Gate,
    MakeResult,
    slower,
    verdicts,
)

from zapbench.record import Hypervisor, Userfaultfd


@pytest.mark.parametrize(
    ("head", "status", "because"),
    [
        (QUIET, 0, "WITHIN"),
        (slower(QUIET, 1.1), 4, "UNCONFIRMED"),
        (slower(SIX, 1.1), 1, "EXCEEDED"),
        (slower(QUIET, 1.1) + QUIET, 4, "NOT_AGAIN"),
        (slower(QUIET, 1.02), 4, "OPEN"),
        (slower(SIX, 0.5), 0, "WITHIN"),
    ],
)
def test_results_of_two_kernels(
    gate: Gate, result: MakeResult, head: tuple[int, ...], status: int, because: str
) -> None:
    base = result("base", QUIET if len(head) == 3 else SIX)
    done = gate(base, result("head", head), "--format", "json")
    assert verdicts(done)[RELATIVE] == because
    assert done.status == status
    assert done.err == ""


def test_one_image_is_judged_by_its_figures(gate: Gate, result: MakeResult) -> None:
    """A build id says nothing of the settings, or of who wrote it into the record."""
    base = result("base", SIX, image="same")
    done = gate(base, result("head", slower(SIX, 5), image="same"), "--format", "json")
    assert verdicts(done)[RELATIVE] == "EXCEEDED"
    assert done.status == 1
    again = gate(base, result("again", SIX, image="same"), "--format", "json")
    assert verdicts(again)[RELATIVE] == "WITHIN"


def test_boots_are_not_compared_with_themselves(gate: Gate, result: MakeResult) -> None:
    """They would pass, whatever they are."""
    head = result("head", QUIET)
    done = gate(head, head)
    assert "hold the same boots, which cannot be compared" in done.line
    assert done.status == 2


def test_one_image_with_other_boot_words_is_another_kernel(gate: Gate, result: MakeResult) -> None:
    base = result("base", SIX, "6.12", image="same")
    words = result("words", slower(SIX, 1.5), "6.12?boot=nosmt", image="same")
    done = gate(base, words, "--format", "json")
    assert verdicts(done)[RELATIVE] == "EXCEEDED"
    assert done.status == 1


def test_a_case_that_the_head_lost_fails(gate: Gate, result: MakeResult) -> None:
    done = gate(result("base", QUIET), result("head", QUIET, lost=[REMAP]), "--format", "json")
    assert verdicts(done)[REMAP, "+2 %"] == "LOST"
    assert done.status == 1


def test_what_base_does_not_have_is_new_and_not_judged_by_it(
    gate: Gate, result: MakeResult
) -> None:
    done = gate(result("base", QUIET, fewer=[ZAP]), result("head", QUIET), "--format", "json")
    assert verdicts(done)[RELATIVE] == "NOT_APPLICABLE"
    assert verdicts(done)[PAIRED] == "WITHIN"


def test_one_kernel_alone_is_judged_by_what_needs_no_base(gate: Gate, result: MakeResult) -> None:
    done = gate(result("head", QUIET), "--format", "json")
    assert done.status == 0
    assert verdicts(done)[PAIRED] == "WITHIN"
    assert {why for (_, limit), why in verdicts(done).items() if limit == "+2 %"} == {
        "NOT_APPLICABLE"
    }


@pytest.mark.parametrize(
    ("days", "status", "because"), [(0, 0, "WAIVED"), (30, 0, "WAIVED"), (-1, 1, "EXCEEDED")]
)
def test_a_waiver_holds_until_its_day_is_over(
    gate: Gate, result: MakeResult, days: int, status: int, because: str
) -> None:
    sides = result("base", SIX), result("head", slower(SIX, 1.1))
    today, judged = None, date.min
    while today != judged:  # again, if midnight came in between
        today = datetime.now(UTC).date()
        day = today + timedelta(days=days)
        waiver = f'[[waiver]]\ncases = "zap/*"\nreason = "known"\nexpires = {day}\n'
        done = gate(*sides, "--format", "json", budgets=BUDGETS + waiver)
        judged = datetime.now(UTC).date()
    assert verdicts(done)[RELATIVE] == because
    assert done.status == status
    (check,) = (c for c in json.loads(done.out)["checks"] if (c["case"], c["limit"]) == RELATIVE)
    assert ("would be FAIL" if days >= 0 else "expired on") in check["why"]


def absolute(limit: str, more: str = "") -> str:
    return f'[[budget]]\ncases = "{ZAP}"\nlimit = "{limit}"\nreason = "r"\n{more}\n'


@pytest.mark.parametrize(
    ("limit", "more", "because"),
    [
        ("11000 instructions", "", "WITHIN"),
        ("10000 instructions", "", "OPEN"),
        ("9000 instructions", "", "EXCEEDED"),
        ("700 instructions", 'statistic = "per_page"', "WITHIN"),  # 16 pages
        ("600 instructions", 'statistic = "per_page"', "EXCEEDED"),
        ("9000 instructions", 'statistic = "p99"', "NO_FIGURE"),
        ("9000 instructions", 'statistic = "case_total"', "NO_FIGURE"),
    ],
)
def test_absolute_limits(
    gate: Gate, result: MakeResult, limit: str, more: str, because: str
) -> None:
    done = gate(result("head", SIX), "--format", "json", budgets=absolute(limit, more))
    assert list(verdicts(done).values()) == [because]


def test_a_figure_of_zero_is_said(gate: Gate, result: MakeResult) -> None:
    done = gate(result("head", (0, 0, 0)), "--format", "json", budgets=absolute("9 instructions"))
    (check,) = json.loads(done.out)["checks"]
    assert "not above what the harness itself costs" in check["why"]
    assert done.status == 4


def test_one_boot_is_not_enough(gate: Gate, result: MakeResult) -> None:
    done = gate(result("base", (10_000,)), result("head", (20_000,)), "--format", "json")
    assert verdicts(done)[RELATIVE] == "ONE_BOOT"
    assert done.status == 4


THP = {"enabled": "always", "hugepages-64kB/shmem_enabled": "advise"}
ONE_LINE: dict[str, tuple[tuple[str, dict[str, Any]], tuple[str, dict[str, Any]], str]] = {
    "other units": (("icount", {}), ("native", {}), "mixed units"),
    "other CPU": (("icount", {}), ("icount", {"cpu": "slow"}), "not measured alike: CPU"),
    "other THP": (
        ("icount", {"image": "same"}),
        ("icount", {"image": "same", "thp": THP}),
        r"THP enabled \(madvise / always\)",
    ),
    "other mTHP": (
        ("icount", {"thp": THP}),
        ("icount", {"thp": THP | {"hugepages-64kB/shmem_enabled": "never"}}),
        r"THP hugepages-64kB/shmem_enabled \(advise / never\)",
    ),
    "other route": (
        ("icount", {}),
        ("icount", {"uffd": Userfaultfd("dev", 0, 0)}),
        r"userfaultfd \(syscall / dev\)",
    ),
    "other machine": (
        ("icount", {}),
        ("icount", {"machine": Hypervisor("QEMU emulator version 1", 8192)}),
        r"memory \(1024 MiB / 8192 MiB\); QEMU \(.* 0 / .* 1\)",
    ),
    "other memory": (
        ("icount", OLD),
        ("icount", OLD | {"mem_total": (1 << 32) * 94 // 100}),
        r"MemTotal \(4096 MiB / 3850 MiB\)",
    ),
    "other effort": (
        ("icount", {}),
        ("icount", {"samples": 50, "max_seconds": 2}),
        r"samples \(11 / 50\); seconds a case \(0.5 / 2\)",
    ),
    "other seed": (("icount", {}), ("icount", {"seed": 8}), r"seed \(7 / 8\).*one --seed"),
    "no calibration": (("native", {}), ("native", {}), "noise floor of this machine .* is missing"),
    "screening only": (("tcg", {}), ("tcg", {}), "tcg is for screening only"),
}


@pytest.mark.parametrize("name", ONE_LINE)
def test_what_cannot_be_judged_is_one_line(gate: Gate, result: MakeResult, name: str) -> None:
    (tier, fields), (head_tier, head_fields), message = ONE_LINE[name]
    base = result("base", QUIET, tier=tier, **fields)
    done = gate(base, result("head", QUIET, tier=head_tier, **head_fields))
    assert re.search(message, done.line)
    assert done.status == 2
    assert done.out == ""


def test_where_every_case_is_skipped_there_is_nothing_to_judge(
    gate: Gate, result: MakeResult
) -> None:
    done = gate(result("head", QUIET, fewer=[ZAP, REMAP]))
    assert "is about what was measured: " in done.line
    assert "skipped: not supported" in done.line
    assert done.status == 2
