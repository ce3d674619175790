# SPDX-License-Identifier: GPL-2.0-only
"""The frequency of this machine's time stamp counter, which TCG shows its guests unscaled."""

from zapbench._zapbench import lib


def host_khz() -> int | None:
    """The counter's frequency in kHz; None where the machine has none."""
    return int(lib.zapbench_tsc_khz()) or None
