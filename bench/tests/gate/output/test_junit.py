# SPDX-License-Identifier: GPL-2.0-only
"""JUnit XML."""

import xml.etree.ElementTree as ET

from gate_boots import Gate


def test_junit_is_well_formed_and_counts(gate: Gate, failing: list[str]) -> None:
    suite = ET.fromstring(gate(*failing, "--format", "junit").out)
    counts = {
        name: int(suite.get(name) or -1) for name in ("tests", "failures", "errors", "skipped")
    }
    assert counts == {"tests": 3, "failures": 2, "errors": 1, "skipped": 0}
    assert len(suite.findall("testcase/failure")) == 2
