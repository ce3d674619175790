# SPDX-License-Identifier: GPL-2.0-only
"""What is done to zapbench on purpose: how often, and how often nothing finished was lost."""

import os
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

TORTURE = bool(os.environ.get("ZAPBENCH_TORTURE"))
"""Set by `make torture`: many tries of everything."""

Row = tuple[str, int, int]
"""The name of a fault, how often it was tried, and how often something was lost."""


class Fault:
    """A row of the table; what is lost in a try does not end the others."""

    def __init__(self, name: str, seed: int | None = None) -> None:
        self.name = name
        self.tried = 0
        self.errors: list[Exception] = []
        self.seed = random.SystemRandom().randrange(1 << 32) if seed is None else seed

    def tries(self, quick: int, long: int) -> Iterator[random.Random]:
        """So many tries, a few in each run of the tests and many in `make torture`."""
        for number in range(long if TORTURE else quick):
            yield random.Random(f"{self.seed}/{number}")

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """One try: an exception is something lost."""
        self.tried += 1
        try:
            yield
        except Exception as error:
            error.add_note(f"try {self.tried} of {self.name!r}, seed {self.seed}")
            self.errors.append(error)

    @contextmanager
    def only(self) -> Iterator[None]:
        """The only try."""
        with self.attempt():
            yield
        self.survived()

    def survived(self) -> None:
        """Fail if something was lost."""
        if self.errors:
            raise ExceptionGroup(f"{self.name}: {len(self.errors)} of {self.tried}", self.errors)

    def row(self) -> Row:
        """What became of it."""
        return self.name, self.tried, len(self.errors)


Faults = Callable[[str], Fault]

COLUMNS = "{:<62}{:>6}{:>10}{:>6}"


def table(rows: Iterable[Row]) -> Iterator[str]:
    """The lines of the table; rows of one name are added up."""
    yield COLUMNS.format("fault", "tries", "survived", "lost")
    sums: dict[str, tuple[int, int]] = {}
    for name, tried, lost in rows:
        before = sums.get(name, (0, 0))
        sums[name] = before[0] + tried, before[1] + lost
    for name, (tried, lost) in sums.items():
        yield COLUMNS.format(name, tried, tried - lost, lost)
