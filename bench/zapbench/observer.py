# SPDX-License-Identifier: GPL-2.0-only
"""Whoever waits for a long piece of work, and is told how it goes on."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from zapbench.host.cache import Progress
from zapbench.record import Record
from zapbench.target import Job

OnRecord = Callable[[Job, Record], None]
"""Called with each record as it comes, and the job that it is of."""


@dataclass(frozen=True, slots=True)
class Observer:
    """What is told to whoever waits.

    ``note`` takes a line; ``cases`` shows how many of so many cases are finished, ``stages`` how
    far a kernel is fetched and built, each for as long as its context lasts.
    """

    note: Callable[[str], None]
    cases: Callable[[int], AbstractContextManager[OnRecord]]
    stages: Callable[[], AbstractContextManager[Progress]]
