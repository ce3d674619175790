# SPDX-License-Identifier: GPL-2.0-only
"""The sources of the C core, for tests that compile them in their own way."""

from pathlib import Path

from places import ROOT

CBENCH = ROOT / "cbench"
OTHER = {"tests", "plugin"}
"""Folders of programs of their own."""


def sources(cbench: Path = CBENCH, *, main: bool = True) -> list[str]:
    """Every file of the core, and the one with its ``main()`` unless a test has its own."""
    return sorted(
        str(path)
        for path in cbench.rglob("*.c")
        if not OTHER & set(path.relative_to(cbench).parts) and (main or path.name != "guest_main.c")
    )
