# SPDX-License-Identifier: GPL-2.0-only
"""The real userfaultfd."""

import errno
import struct
from pathlib import Path

import pytest

from zapbench.uffd import probe_userfaultfd


def test_real_userfaultfd_is_open_and_closed_again() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    got = probe_userfaultfd()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    if not got.route:
        assert got.error in (errno.EPERM, errno.ENOSYS)
        pytest.skip(f"no userfaultfd here: {errno.errorcode[got.error]}")
    # UFFD_FEATURE_EVENT_FORK and _REMOVE have been there since 4.11.
    assert got.features & 0b1010 == 0b1010
    assert struct.calcsize("QQQ") == 24
