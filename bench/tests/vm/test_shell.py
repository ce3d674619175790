# SPDX-License-Identifier: GPL-2.0-only
"""A shell in a machine."""

from pathlib import Path

import pytest

from zapbench.error import UsageError
from zapbench.vm import shell


def test_a_shell_needs_a_terminal(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a shell needs a terminal"):
        shell.boot(tmp_path, tmp_path)
