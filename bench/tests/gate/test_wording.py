# SPDX-License-Identifier: GPL-2.0-only
"""Every format says the same in the same words."""

from gate_boots import ZAP, Gate


def test_every_format_has_every_verdict(gate: Gate, failing: list[str]) -> None:
    for form in ("text", "markdown", "mail", "junit", "ktap", "json"):
        done = gate(*failing, "--format", form)
        assert done.status == 1
        flat = " ".join(done.out.split())
        assert ZAP in flat
        assert "and again in fresh boots" in flat
        assert "git bisect run zapbench gate" in flat
        assert "does not apply" in flat or "skipped: not supported" in flat
