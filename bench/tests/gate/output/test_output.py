# SPDX-License-Identifier: GPL-2.0-only
"""A judgement in every format."""

import re
import xml.etree.ElementTree as ET

from gate_boots import ZAP


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


def test_markdown_cells_hold_no_markup(gate, failing):
    for line in gate(*failing, "--format", "markdown").out.splitlines():
        if line.startswith("| FAIL"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 9
