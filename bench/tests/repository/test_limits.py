# SPDX-License-Identifier: GPL-2.0-only
"""Time limits follow the machine."""

import os

import pytest
from limits import seconds, until


def test_fewer_cpus_have_longer_limits() -> None:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert seconds(1) >= 2
    finally:
        os.sched_setaffinity(0, allowed)


def test_what_never_holds_is_named() -> None:
    with pytest.raises(AssertionError, match="waited in vain: for pigs to fly"):
        until(lambda: False, "for pigs to fly", idle=0.01)


def test_what_holds_is_returned() -> None:
    tries = iter([None, None, 7])
    assert until(lambda: next(tries), "the third") == 7
