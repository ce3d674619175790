# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench doctor``."""

import json

from command import Command


def test_doctor_says_what_it_sees(zapbench: Command) -> None:
    done = zapbench("doctor")
    assert "userfaultfd" in done.out
    findings = json.loads(zapbench("doctor", "--json").out)
    assert set(findings["userfaultfd"]) == {"state", "seen", "fix"}
    missing = any(found["state"] == "missing" for found in findings.values())
    assert done.status == (2 if missing else 0)
