# SPDX-License-Identifier: GPL-2.0-only
"""What more than one test module needs."""

import os
from collections.abc import Callable

import pytest


@pytest.fixture(scope="session")
def require() -> Callable[[object, str], None]:
    """``require(condition, reason)``: go on only if it holds.

    Continuous integration (``CI=true``) has all that the tests need, so there a missing thing
    fails the test that an ordinary machine would skip.
    """

    def check(condition: object, reason: str) -> None:
        if condition:
            return
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)

    return check
