# SPDX-License-Identifier: GPL-2.0-only
"""``python -m zapbench``."""

from zapbench.cli import main

main()
