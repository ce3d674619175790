# SPDX-License-Identifier: GPL-2.0-only
"""Where things are in the repository, from wherever a test is."""

from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parents[1]
