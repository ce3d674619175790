# SPDX-License-Identifier: GPL-2.0-only
"""The commands gate and calibrate, on results made up and replayed."""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from datetime import date, timedelta
from pathlib import Path

import pytest
import synthetic
from test_cli import Outcome

from zapbench.cli import gate as command
from zapbench.cli import where
from zapbench.error import BuildFailed
from zapbench.gate.evidence import rounds
from zapbench.record import encode
from zapbench.result import store
from zapbench.target import Replay

ZAP, REMAP = "zap/dontneed/shmem/4k/64k", "zap/remap/shmem/4k/64k"
BUDGETS = """\
[[budget]]
cases = ["zap/dontneed/shmem/4k/64k", "zap/remap/shmem/4k/64k"]
limit = "+2 %"
reason = "nothing gets slower"

[[budget]]
cases = "zap/dontneed/shmem/4k/64k"
limit = "0.5 x zap/remap"
reason = "the call alone is cheap"
"""
RELATIVE_ONLY = BUDGETS.partition("\n\n")[0]
QUIET = (10_000, 10_010, 9_990)  # a boot each; twice as dear for remap


def changed(record, **fields):
    known = {name: getattr(record, name) for name in record.__struct_fields__}
    return type(record)(**(known | fields))


def boots_of(kernel, boots, *, tier, unit, image, cpu="none", lost=(), fewer=(), total=None):
    """Streams: each case's figure is that of its boot; remap costs twice as much."""
    for boot, figure in enumerate(boots):
        run = synthetic.run_of(boot, kernel, tier)
        start = changed(
            synthetic.context(run, unit=unit), build_id=image or f"image-{kernel}", cpu=cpu
        )
        records = []
        for case, factor in ((ZAP, 1), (REMAP, 2)):
            if case in lost:
                records.append(synthetic.error(run, case))
            elif case in fewer:
                records.append(synthetic.skip(run, case))
            else:
                value = round(figure * factor)
                records.append(
                    synthetic.samples(run, case, (value,) * 11, unit=unit, case_total=total)
                )
        lines = synthetic.stream(run, *records, unit=unit)
        yield from [encode(start), *lines[1:]]


@pytest.fixture
def result(tmp_path):
    """Make a result directory."""

    def make(name, boots, kernel=None, *, tier="icount", image=None, **more) -> Path:
        unit = "instructions" if tier == "icount" else "ns"
        directory = tmp_path / name
        with store.create(directory) as writer:
            for line in boots_of(kernel or name, boots, tier=tier, unit=unit, image=image, **more):
                writer.write(line)
        return directory

    return make


@pytest.fixture
def gate(capsys, tmp_path, monkeypatch):
    """Run the command on directories; the budgets' text may be given."""
    monkeypatch.setenv("ZAPBENCH_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments, budgets: str = BUDGETS) -> Outcome:
        (tmp_path / "b.toml").write_text(budgets)
        return Outcome(capsys, ["gate", "--budgets", "b.toml", *arguments])

    return run


def verdicts(done: Outcome) -> dict[tuple[str, str], str]:
    data = json.loads(done.out)
    return {(c["case"], c["limit"]): c["because"] for c in data["checks"]}


def slower(boots, factor):
    return tuple(value * factor for value in boots)


RELATIVE, PAIRED = (ZAP, "+2 %"), (ZAP, "0.5 x zap/remap")
SIX = QUIET + QUIET


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
def test_results_of_two_kernels(gate, result, head, status, because):
    base = result("base", QUIET if len(head) == 3 else SIX)
    done = gate(base, result("head", head), "--format", "json")
    assert verdicts(done)[RELATIVE] == because
    assert done.status == status
    assert done.err == ""


def test_a_second_pair_confirms(gate, result):
    first = result("base", QUIET), result("head", slower(QUIET, 1.1))
    later = (10_004, 9_998, 10_001)
    slow = result("base2", later, "base"), result("head2", slower(later, 1.1), "head")
    assert gate(*first, "--confirm", *slow).status == 1
    fine = result("base3", QUIET[::-1], "base"), result("head3", QUIET[::-1], "head")
    done = gate(*first, "--confirm", *fine, "--format", "json")
    assert done.status == 4
    assert verdicts(done)[RELATIVE] == "NOT_AGAIN"


def test_the_first_boots_cannot_confirm_themselves(gate, result):
    first = result("base", QUIET), result("head", slower(QUIET, 1.1))
    done = gate(*first, "--confirm", *first)
    assert done.status == 2
    assert "holds the same boots" in done.line


def test_boots_of_another_kernel_cannot_confirm(gate, result):
    first = result("base", QUIET), result("head", slower(QUIET, 1.1))
    other = result("base2", QUIET, "other"), result("head2", QUIET, "head")
    assert "cannot confirm" in gate(*first, "--confirm", *other).line


def test_which_boots_confirm_is_fixed_beforehand():
    assert rounds([1, 2, 3, 4, 5, 6, 7], [], split=True).first == [1, 2, 3, 4]
    assert rounds([1, 2, 3, 4, 5, 6, 7], [], split=True).again == [5, 6, 7]
    assert rounds([1, 2, 3], [], split=False).again == []
    assert rounds([1, 2, 3], [4, 5], split=False).whole == [1, 2, 3, 4, 5]


def test_one_image_never_regresses(gate, result):
    base = result("base", SIX, image="same")
    done = gate(base, result("head", slower(SIX, 1.5), image="same"), "--format", "json")
    assert verdicts(done)[RELATIVE] == "SAME_IMAGE"
    assert done.status == 0


def test_a_case_that_the_head_lost_fails(gate, result):
    done = gate(result("base", QUIET), result("head", QUIET, lost=[REMAP]), "--format", "json")
    assert verdicts(done)[REMAP, "+2 %"] == "LOST"
    assert done.status == 1


def test_what_base_does_not_have_is_new_and_not_judged_by_it(gate, result):
    done = gate(result("base", QUIET, fewer=[ZAP]), result("head", QUIET), "--format", "json")
    assert verdicts(done)[RELATIVE] == "NOT_APPLICABLE"
    assert verdicts(done)[PAIRED] == "WITHIN"


def test_one_kernel_alone_is_judged_by_what_needs_no_base(gate, result):
    done = gate(result("head", QUIET), "--format", "json")
    assert done.status == 0
    assert verdicts(done)[PAIRED] == "WITHIN"
    assert {why for (_, limit), why in verdicts(done).items() if limit == "+2 %"} == {
        "NOT_APPLICABLE"
    }


def test_a_ratio_is_taken_boot_by_boot(gate, result):
    """Boots that are all dear or all cheap: the ratio to remap does not move."""
    done = gate(result("head", (5000, 10_000, 20_000)), "--format", "json")
    (check,) = (c for c in json.loads(done.out)["checks"] if c["limit"].startswith("0.5"))
    assert check["change"] == pytest.approx(0.5)
    assert check["high"] == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize(
    ("days", "status", "because"), [(0, 0, "WAIVED"), (30, 0, "WAIVED"), (-1, 1, "EXCEEDED")]
)
def test_a_waiver_holds_until_its_day_is_over(gate, result, days, status, because):
    day = date.today() + timedelta(days=days)
    waiver = f'[[waiver]]\ncases = "zap/*"\nreason = "known"\nexpires = {day}\n'
    sides = result("base", SIX), result("head", slower(SIX, 1.1))
    done = gate(*sides, "--format", "json", budgets=BUDGETS + waiver)
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
def test_absolute_limits(gate, result, limit, more, because):
    done = gate(result("head", SIX), "--format", "json", budgets=absolute(limit, more))
    assert list(verdicts(done).values()) == [because]


def test_a_figure_of_zero_is_said(gate, result):
    done = gate(result("head", (0, 0, 0)), "--format", "json", budgets=absolute("9 instructions"))
    (check,) = json.loads(done.out)["checks"]
    assert "not above what the harness itself costs" in check["why"]
    assert done.status == 4


def test_one_boot_is_not_enough(gate, result):
    done = gate(result("base", (10_000,)), result("head", (20_000,)), "--format", "json")
    assert verdicts(done)[RELATIVE] == "ONE_BOOT"
    assert done.status == 4


ONE_LINE = {
    "other units": (("icount", {}), ("native", {}), "mixed units"),
    "other CPU": (("icount", {}), ("icount", {"cpu": "slow"}), "not measured alike: CPU"),
    "no calibration": (("native", {}), ("native", {}), "noise floor of this machine .* is missing"),
    "screening only": (("tcg", {}), ("tcg", {}), "tcg is for screening only"),
}


@pytest.mark.parametrize("name", ONE_LINE)
def test_what_cannot_be_judged_is_one_line(gate, result, name):
    (tier, fields), (head_tier, head_fields), message = ONE_LINE[name]
    base = result("base", QUIET, tier=tier, **fields)
    done = gate(base, result("head", QUIET, tier=head_tier, **head_fields))
    assert re.search(message, done.line)
    assert done.status == 2
    assert done.out == ""


def test_different_machines_may_be_compared_by_force_and_are_labelled(gate, result):
    sides = result("base", QUIET), result("head", QUIET, cpu="slow")
    for form in ("text", "markdown", "mail", "junit", "ktap", "json"):
        done = gate(*sides, "--force", "--format", form)
        assert done.status == 0
        assert "forced: measured differently: CPU (none / slow)" in " ".join(done.out.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name --kernel HEAD, or one or two result directories"),
        (("--kernel", "6.12", "x"), "either --kernel or result directories"),
        (("--base", "6.12", "x"), "name --kernel HEAD"),
        (("nowhere",), "nowhere does not exist"),
        (("x", "-o", "report.pdf"), "no format is called '.pdf'"),
        (("x", "--time", "soon"), "cannot read the time"),
    ],
)
def test_wrong_usage_is_one_line(gate, arguments, message):
    done = gate(*arguments)
    assert message in done.line
    assert done.status == 2


def test_budgets_about_other_cases_are_an_error(gate, result):
    other = BUDGETS.replace("64k", "2m")
    done = gate(result("base", QUIET), result("head", QUIET), budgets=other)
    assert "is about what was measured: no such case was measured" in done.line
    assert done.status == 2


def test_bisect_wants_other_exit_codes(gate, result, monkeypatch):
    base = result("base", QUIET)
    assert gate(base, result("good", QUIET), "--bisect").status == 0
    assert gate(base, result("open", slower(QUIET, 1.1)), "--bisect").status == 125
    assert gate("nowhere", "--bisect").status == 255
    six = result("base6", SIX, "base")
    assert gate(six, result("bad", slower(SIX, 1.1)), "--bisect").status == 1

    def broken(kernel, accel):
        raise BuildFailed("mm/madvise.c: error")

    monkeypatch.setattr(command, "target", broken)
    assert gate("--kernel", "6.12", "--bisect").status == 125


# ---- what a gate measures itself, replayed ----


class Machine:
    """A kernel whose figures are made up, of as many boots as are asked for."""

    def __init__(self, kernel, figure, tier="icount") -> None:
        self.kernel, self.tier, self._figure, self.asked = kernel, tier, figure, []

    def run(self, job):
        self.asked.append((job.boot, sorted(job.cases)))
        unit = "instructions" if self.tier == "icount" else "ns"
        run = synthetic.run_of(job.boot, self.kernel, self.tier)
        start = changed(synthetic.context(run, unit=unit), build_id=f"image-{self.kernel}")
        records = [
            synthetic.samples(run, case, (round(self._figure(case, job.boot)),) * 11, unit=unit)
            for case in job.cases
        ]
        yield from [encode(start), *synthetic.stream(run, *records, unit=unit)[1:]]

    def interrupt(self) -> None:
        """Nothing to interrupt."""


@pytest.fixture
def machines(monkeypatch):
    """Replace virtual machines by made-up ones."""
    made = {}

    def steady(cost):
        return lambda case, boot: (2 if "remap" in case else 1) * (cost + boot % 3)

    def use(base, head):
        made["base"] = Machine("base", base if callable(base) else steady(base))
        made["head"] = Machine("head", head if callable(head) else steady(head))
        monkeypatch.setattr(command, "target", lambda kernel, accel: made[kernel])
        return made

    return use


def live(gate, *more, budgets=BUDGETS):
    return gate("--base", "base", "--kernel", "head", "--boots", "3", *more, budgets=budgets)


def test_what_is_suspected_is_measured_again_in_fresh_boots(gate, machines):
    def only_zap(case, boot):
        return 20_000 if "remap" in case else 11_000 + boot % 3

    made = machines(10_000, only_zap)
    done = live(gate, "--format", "json", "--results", "r")
    assert done.status == 1
    assert verdicts(done)[RELATIVE] == "EXCEEDED"
    assert verdicts(done)[REMAP, "+2 %"] == "WITHIN"
    both = sorted([ZAP, REMAP])
    for machine in made.values():
        assert machine.asked == [(boot, both) for boot in range(6)]  # remap is a reference
    again = gate("r/base", "r/head", "--format", "json")
    assert verdicts(again) == verdicts(done)


def test_what_nobody_suspects_is_not_measured_again(gate, machines):
    made = machines(10_000, 10_000)
    assert live(gate).status == 0
    assert [boot for boot, _ in made["head"].asked] == [0, 1, 2]


def test_only_the_suspected_case_is_measured_again(gate, machines):
    made = machines(10_000, lambda case, boot: 30_000 if "remap" in case else 10_000 + boot % 3)
    assert live(gate, budgets=RELATIVE_ONLY).status == 1
    assert made["head"].asked[3:] == [(boot, [REMAP]) for boot in (3, 4, 5)]


def test_bad_luck_in_the_first_boots_is_no_failure(gate, machines):
    machines(10_000, lambda case, boot: (11_000 if boot < 3 else 10_000) + boot % 3)
    done = live(gate, "--format", "json", budgets=RELATIVE_ONLY)
    assert verdicts(done)[RELATIVE] == "NOT_AGAIN"
    assert done.status == 4


def test_one_command_measures_and_judges_again(gate, machines):
    machines(10_000, lambda case, boot: 20_000)
    data = json.loads(live(gate, "--seed", "5", "--format", "json").out)
    (line,) = data["reproduce"]
    assert line == (
        "zapbench gate --budgets b.toml --base base --kernel head --accel icount --boots 3 --seed 5"
    )


def test_base_and_head_take_turns(gate, machines):
    made = machines(10_000, 10_000)
    order = []
    for name, machine in made.items():
        run = machine.run
        machine.run = lambda job, name=name, run=run: (order.append(name), run(job))[1]
    assert live(gate, "--boots", "4").status == 0
    assert order == ["base", "head", "head", "base", "base", "head", "head", "base"]


def test_time_is_judged_only_where_the_noise_is_known(gate, machines, monkeypatch, capsys):
    made = machines(10_000, 10_000)
    for machine in made.values():
        machine.tier = "kvm"
    monkeypatch.setattr("zapbench.gate.fingerprint.output", lambda words: "QEMU 1")
    assert "is missing" in live(gate).line
    monkeypatch.setattr(
        "zapbench.cli.calibrate.place",
        lambda *_: where.Place(Machine("base", lambda c, b: 9000 + b, "kvm"), "base", False),
    )
    calibrated = Outcome(capsys, ["calibrate", ZAP, REMAP, "--boots", 3, "-o", "c"])
    assert calibrated.status == 0
    assert ZAP in calibrated.out
    assert live(gate, "--results", "r").status == 0


def test_the_noise_of_a_case_that_was_not_calibrated_is_unknown(
    gate, machines, monkeypatch, capsys
):
    made = machines(10_000, 10_000)
    for machine in made.values():
        machine.tier = "kvm"
    monkeypatch.setattr("zapbench.gate.fingerprint.output", lambda words: "QEMU 1")
    monkeypatch.setattr(
        "zapbench.cli.calibrate.place",
        lambda *_: where.Place(Machine("base", lambda c, b: 9000 + b, "kvm"), "base", False),
    )
    assert Outcome(capsys, ["calibrate", REMAP, "--boots", 3, "-o", "c"]).status == 0
    done = live(gate, "--format", "json")
    assert verdicts(done)[RELATIVE] == "NO_FLOOR"
    assert verdicts(done)[REMAP, "+2 %"] == "WITHIN"
    assert done.status == 4


def test_times_of_another_machine_than_the_calibrated_one_are_refused(
    gate, result, monkeypatch, capsys
):
    monkeypatch.setattr(
        "zapbench.cli.calibrate.place",
        lambda *_: where.Place(Machine("base", lambda c, b: 9000 + b, "native"), "base", False),
    )
    assert Outcome(capsys, ["calibrate", ZAP, REMAP, "--boots", 3, "-o", "c"]).status == 0
    here = result("base", QUIET, tier="native"), result("head", QUIET, tier="native")
    assert gate(*here).status == 0
    away = [result(f"{n}2", QUIET, tier="native", cpu="slow") for n in ("base", "head")]
    assert "not measured where the noise floor was: CPU (none / slow)" in gate(*away).line


def test_a_recording_is_judged_as_if_it_ran_now(gate, result, monkeypatch):
    """`Replay` in place of both machines: the way to try a gate without a kernel."""
    files = {
        "base": result("base", SIX) / store.RECORDS,
        "head": result("head", slower(SIX, 1.1)) / store.RECORDS,
    }
    monkeypatch.setattr(command, "target", lambda kernel, accel: Replay(files[kernel]))
    done = live(gate, "--format", "json")
    assert verdicts(done)[RELATIVE] == "EXCEEDED"


# ---- outputs ----


@pytest.fixture
def failing(result):
    sides = result("base", SIX), result("head", slower(SIX, 1.1), fewer=[REMAP])
    return [side.name for side in sides]  # the working directory holds them


def test_every_format_has_every_verdict(gate, failing):
    for form in ("text", "markdown", "mail", "junit", "ktap", "json"):
        done = gate(*failing, "--format", form)
        assert done.status == 1
        flat = " ".join(done.out.split())
        assert ZAP in flat
        assert "and again in fresh boots" in flat
        assert "git bisect run zapbench gate" in flat
        assert "does not apply" in flat or "skipped: not supported" in flat


def test_mail_keeps_to_72_columns_and_its_commands_work(gate, failing):
    done = gate(*failing, "--format", "mail")
    lines = done.out.splitlines()
    assert max(map(len, lines)) <= 72
    text = done.out.split("To reproduce:\n")[1]
    commands = text.replace("\\\n", "").strip().splitlines()
    assert [line.split()[:2] for line in commands] == [
        ["zapbench", "run"],
        ["zapbench", "run"],
        ["zapbench", "gate"],
    ]
    assert "--kernel base --accel icount --boots 6 --seed 7 -o base" in " ".join(
        commands[0].split()
    )


def test_junit_is_well_formed_and_counts(gate, failing):
    suite = ET.fromstring(gate(*failing, "--format", "junit").out)
    counts = {name: int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": 3, "failures": 2, "errors": 0, "skipped": 1}
    assert len(suite.findall("testcase/failure")) == 2


def test_ktap_counts_its_results(gate, failing):
    lines = gate(*failing, "--format", "ktap").out.splitlines()
    assert lines[:2] == ["KTAP version 1", "1..3"]
    results = [line for line in lines if not line.startswith("#")][2:]
    assert [re.match(r"(ok|not ok) (\d+) ", line).groups() for line in results] == [
        ("not ok", "1"),
        ("not ok", "2"),
        ("ok", "3"),
    ]
    assert "# SKIP" in results[2]


def test_files_are_written_in_the_format_of_their_name(gate, failing, tmp_path):
    done = gate(*failing, "-o", "a.md", "-o", "a.xml", "-o", "a.json")
    assert done.status == 1
    assert (tmp_path / "a.md").read_text().startswith("### FAIL: ")
    assert json.loads((tmp_path / "a.json").read_text())["status"] == "FAIL"
    ET.parse(tmp_path / "a.xml")
    assert gate(*failing, "-o", "new/place/a.md").status == 1
    assert (tmp_path / "new/place/a.md").read_text() == (tmp_path / "a.md").read_text()
    assert "cannot write a.md/b.md" in gate(*failing, "-o", "a.md/b.md").line


def test_markdown_cells_hold_no_markup(gate, failing):
    for line in gate(*failing, "--format", "markdown").out.splitlines():
        if line.startswith("| FAIL"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 9


# ---- as a process ----


def test_the_exit_status_reaches_the_shell(result, tmp_path):
    (tmp_path / "b.toml").write_text(BUDGETS)
    base, head = result("base", SIX), result("head", slower(SIX, 1.1))
    words = [sys.executable, "-m", "zapbench", "gate", "--budgets", "b.toml"]
    env = {**os.environ, "ZAPBENCH_STATE": str(tmp_path / "state")}
    done = subprocess.run(
        [*words, base, head], cwd=tmp_path, check=False, capture_output=True, text=True, env=env
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.rstrip().splitlines()[-1].startswith("FAIL: ")
