# SPDX-License-Identifier: GPL-2.0-only
"""Verdicts over result directories that are made up."""

import errno
import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
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
from zapbench.result.request import Asked, keep
from zapbench.result.store import RECORDS


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
    """What made it slower is no part of the image: a sysctl, the memory it got."""
    base = result("base", SIX, image="same")
    assert gate(base, result("fine", SIX, image="same")).status == 0
    done = gate(base, result("head", slower(SIX, 5), image="same"), "--format", "json")
    assert verdicts(done)[RELATIVE] == "EXCEEDED"
    assert done.status == 1


def test_boots_are_not_compared_with_themselves(gate: Gate, result: MakeResult) -> None:
    """They would pass, whatever they are."""
    head = result("head", QUIET)
    done = gate(head, head)
    assert "hold the same boots, which cannot be compared" in done.line
    assert done.status == 2


def test_boots_of_several_builds_in_one_directory_are_refused(
    gate: Gate, result: MakeResult
) -> None:
    one, two = result("one", QUIET, "head", image="a"), result("two", QUIET, "head", image="b")
    with (one / RECORDS).open("ab") as file:
        file.write((two / RECORDS).read_bytes())
    done = gate(result("base", QUIET), one)
    assert "one mixes builds a and b of head" in done.line
    assert done.status == 2


def test_one_image_with_other_boot_words_is_another_kernel(gate: Gate, result: MakeResult) -> None:
    base = result("base", SIX, "6.12", image="same")
    words = result("words", slower(SIX, 1.5), "6.12?boot=nosmt", image="same")
    done = gate(base, words, "--format", "json")
    assert verdicts(done)[RELATIVE] == "EXCEEDED"
    assert done.status == 1


def test_a_case_that_the_head_lost_fails(gate: Gate, result: MakeResult) -> None:
    done = gate(result("base", QUIET), result("head", QUIET, lost=[REMAP]), "--format", "json")
    assert verdicts(done)[REMAP, "+2 %"] == "BROKEN"
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
        waiver = WAIVED.format("+20 %").replace("9999-12-31", str(day))
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
    done = gate(result("head", QUIET, fewer=[ZAP, REMAP]), budgets=OPTIONAL)
    assert "is about what was measured; why not: skipped: not supported" in done.line
    assert "skipped: not supported" in done.line
    assert done.status == 2


OPTIONAL = absolute("11000 instructions", "required = false")
DEMANDS = [
    # the line `required`, what the head has, its name, what base has: because, exit status
    ("", "skipped", "head", None, "ABSENT", 1),
    ("", "skipped", "head", "skipped", "ABSENT", 1),
    ("", "skipped", "head", "measured", "ABSENT", 1),
    ("", "absent", "head", "measured", "ABSENT", 1),
    ("", "absent", "head", "absent", "NOT_MEASURED", 4),
    ("required = false", "absent", "head", "measured", "NO_FIGURE", 4),
    ("required = false", "skipped", "head", "measured", "LOST", 1),
    ("required = false", "skipped", "head", "skipped", "NOT_APPLICABLE", 0),
    ("required = false", "absent", "head", "absent", "NOT_MEASURED", 4),
    ('required = "claimed"', "skipped", "6.12.117+dontneed", None, "ABSENT", 1),
    ('required = "claimed"', "skipped", "6.12+dontneed?boot=nosmt", None, "ABSENT", 1),
    ('required = "claimed"', "skipped", "6.12+madv-zap", None, "NOT_APPLICABLE", 0),
    ('required = "claimed"', "skipped", "6.12", "measured", "ABSENT", 1),
    ('required = "claimed"', "absent", "6.12", "skipped", "NOT_APPLICABLE", 0),
    ('required = "claimed"', "measured", "6.12", "skipped", "WITHIN", 0),
]


@pytest.mark.parametrize(("required", "head", "name", "base", "because", "status"), DEMANDS)
def test_what_is_required_must_be_there(
    gate: Gate,
    result: MakeResult,
    required: str,
    head: str,
    name: str,
    base: str | None,
    because: str,
    status: int,
) -> None:
    def side(where: str, what: str, kernel: str) -> Path:
        fields = {"skipped": {"fewer": [ZAP]}, "absent": {"without": [ZAP]}, "measured": {}}
        return result(where, QUIET, kernel, **fields[what])

    sides = [] if base is None else [side("base", base, "6.11")]
    held = '[[budget]]\ncases = "zap/remap/*"\nlimit = "1 s"\nreason = "r"\n'
    held = held.replace("1 s", "90000 instructions")
    budgets = absolute("11000 instructions", required) + held
    done = gate(*sides, side("head", head, name), "--format", "json", budgets=budgets)
    assert verdicts(done)[ZAP, "11000 instructions"] == because
    assert done.status == status


@pytest.mark.parametrize(("bad", "status"), [(1, 1), (3, 1)])
def test_a_contract_broken_in_any_boot_of_the_head_fails(
    gate: Gate, result: MakeResult, bad: int, status: int
) -> None:
    five = (10_000, 10_010, 9_990, 10_005, 9_995)
    done = gate(
        result("base", five), result("head", five, broken={ZAP: range(bad)}), "--format", "json"
    )
    assert verdicts(done)[RELATIVE] == "BROKEN"
    assert verdicts(done)[REMAP, "+2 %"] == "WITHIN"
    assert done.status == status


def test_boots_that_died_before_a_case_fail_it(gate: Gate, result: MakeResult) -> None:
    five = (10_000, 10_010, 9_990, 10_005, 9_995)
    done = gate(result("base", five), result("head", five, died=(1, 2, 4)), "--format", "json")
    assert verdicts(done)[REMAP, "+2 %"] == "CUT"
    assert verdicts(done)[RELATIVE] == "WITHIN"
    assert done.status == 1
    (why,) = (c["why"] for c in json.loads(done.out)["checks"] if c["because"] == "CUT")
    assert "boot 1, 2 and 4 of 5" in why


@pytest.mark.parametrize("number", [errno.ENOMEM, errno.ETIMEDOUT, errno.EINTR])
def test_what_the_host_lost_leaves_a_verdict_open(
    gate: Gate, result: MakeResult, number: int
) -> None:
    lost = {ZAP: range(1)}
    head = result("head", QUIET, broken=lost, errno=number)
    done = gate(result("base", QUIET), head, "--format", "json")
    assert verdicts(done)[RELATIVE] == "INCOMPLETE"
    assert done.status == 4
    slow = result("slow", (10_000, *slower(SIX, 1.5)), broken=lost, errno=number)
    done = gate(result("base7", (10_000, *SIX), "base"), slow, "--format", "json")
    assert verdicts(done)[RELATIVE] == "EXCEEDED"


def test_a_boot_that_was_announced_and_is_missing_leaves_a_verdict_open(
    gate: Gate, result: MakeResult
) -> None:
    base, head = result("base", QUIET), result("head", QUIET)
    assert gate(base, head).status == 0
    for side in (base, head):
        keep(side, "run", Asked(boots=4))
        done = gate(base, head, "--format", "json")
        assert verdicts(done)[RELATIVE] == "INCOMPLETE"
        assert done.status == 4
        keep(side, "run", Asked(boots=3))


WAIVED = '[[waiver]]\ncases = "zap/*"\nup_to = "{}"\nreason = "known"\nexpires = 9999-12-31\n'


@pytest.mark.parametrize(
    ("factor", "up_to", "because", "status"),
    [
        (1.1, "+20 %", "WAIVED", 0),
        (1.1, "+8 %", "EXCEEDED", 1),
        (100, "+20 %", "EXCEEDED", 1),
        (1.1, "9 x zap/remap", "EXCEEDED", 1),
    ],
)
def test_a_waiver_covers_up_to_its_own_limit(
    gate: Gate, result: MakeResult, factor: float, up_to: str, because: str, status: int
) -> None:
    sides = result("base", SIX), result("head", slower(SIX, factor))
    budgets = BUDGETS.partition("\n\n")[0] + "\n" + WAIVED.format(up_to)
    done = gate(*sides, "--format", "json", budgets=budgets)
    assert verdicts(done)[RELATIVE] == because
    assert done.status == status
    if because == "EXCEEDED":
        (check, _) = json.loads(done.out)["checks"]
        kept_to = f", waived up to {up_to}: " if up_to.startswith("+") else "of another form"
        assert kept_to in check["why"]


@pytest.mark.parametrize("up_to", [("+8 %", "+20 %"), ("+20 %", "+8 %")])
def test_of_several_waivers_the_widest_counts(
    gate: Gate, result: MakeResult, up_to: tuple[str, str]
) -> None:
    sides = result("base", SIX), result("head", slower(SIX, 1.1))
    budgets = "\n".join([BUDGETS.partition("\n\n")[0], *map(WAIVED.format, up_to)])
    done = gate(*sides, "--format", "json", budgets=budgets)
    assert verdicts(done)[RELATIVE] == "WAIVED"


def test_a_waiver_never_covers_boots_that_are_missing(gate: Gate, result: MakeResult) -> None:
    head = result("head", slower(SIX, 1.1), broken={ZAP: [5]}, errno=errno.ENOMEM)
    budgets = BUDGETS.partition("\n\n")[0] + "\n" + WAIVED.format("+20 %")
    done = gate(result("base", SIX), head, "--format", "json", budgets=budgets)
    assert verdicts(done)[RELATIVE] not in ("WAIVED", "WITHIN")
    assert done.status != 0


def test_a_head_that_died_in_all_boots_is_no_better_than_one_that_died_in_some(
    gate: Gate, result: MakeResult
) -> None:
    head = result("head", SIX, died=range(6))
    budgets = BUDGETS.partition("\n\n")[0].replace(f'["{ZAP}", "{REMAP}"]', '"zap/*/shmem/4k/64k"')
    assert '"zap/*' in budgets
    done = gate(result("base", SIX), head, "--format", "json", budgets=budgets)
    assert verdicts(done)[REMAP, "+2 %"] == "CUT"
    assert done.status == 1


def test_a_waiver_never_covers_a_contract(gate: Gate, result: MakeResult) -> None:
    head = result("head", QUIET, broken={ZAP: range(1)})
    budgets = BUDGETS + WAIVED.format("+900 %")
    done = gate(result("base", QUIET), head, "--format", "json", budgets=budgets)
    assert verdicts(done)[RELATIVE] == "BROKEN"
    assert done.status == 1
