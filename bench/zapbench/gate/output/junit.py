# SPDX-License-Identifier: GPL-2.0-only
"""JUnit XML, as continuous integration reads it: FAIL a failure, INCONCLUSIVE an error."""

import re
import xml.etree.ElementTree as ET

from zapbench.gate import wording
from zapbench.gate.judgement import Judgement
from zapbench.gate.verdict import Verdict

ELEMENTS = {Verdict.FAIL: "failure", Verdict.INCONCLUSIVE: "error", Verdict.SKIP: "skipped"}
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold at all (section 2.2)."""


def render(judgement: Judgement) -> str:
    """See `zapbench.gate.output`."""
    suite = ET.Element(
        "testsuite",
        name=_clean(wording.title(judgement)),
        tests=str(len(judgement.checks)),
        failures=str(judgement.count(Verdict.FAIL)),
        errors=str(judgement.count(Verdict.INCONCLUSIVE)),
        skipped=str(judgement.count(Verdict.SKIP)),
    )
    for check in judgement.checks:
        name = f"{check.case} {check.budget.statistic} {check.budget.demand}"
        case = ET.SubElement(suite, "testcase", classname="zapbench.gate", name=_clean(name))
        reason = _clean(wording.why(check))
        if element := ELEMENTS.get(check.ruling.verdict):
            grown = [f"grew: {name}" for name in check.functions]
            said = "\n".join([*grown, wording.what_next(check, judgement)])
            ET.SubElement(case, element, message=reason).text = _clean(said)
        else:
            ET.SubElement(case, "system-out").text = reason
    if judgement.warnings:
        ET.SubElement(suite, "system-err").text = _clean("\n".join(judgement.warnings))
    ET.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suite, "unicode") + "\n"


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
