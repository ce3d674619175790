# SPDX-License-Identifier: GPL-2.0-only
"""A difference in a few words."""

from zapbench.explain.attribution import Attribution
from zapbench.explain.difference import Measured, difference
from zapbench.explain.name import named
from zapbench.explain.trace import CallPath


def measured(paths: dict[CallPath, int]) -> Measured:
    functions: dict[str, int] = {}
    for path, count in paths.items():
        functions[path[-1]] = functions.get(path[-1], 0) + count
    case = "zap/dontneed/shmem/4k/2m"
    return Measured(Attribution(case, 4, sum(paths.values()), 0, functions, paths), ())


BASE = measured({("e",): 5, ("e", "walk"): 8, ("e", "f", "walk"): 8, ("e", "less"): 500})
HEAD = measured(
    {
        ("e",): 9,
        ("e", "walk"): 9,
        ("e", "f", "walk"): 531,
        ("e", "less"): 7,
        ("e", "g", "h"): 40,
        ("e", "i"): 2,
    }
)


def test_the_three_that_grew_most_and_who_called_them() -> None:
    assert named(difference(BASE, HEAD)) == [
        "walk +131.0, called by f",
        "h +10.0, called by g",
        "e +1.0",
    ]


def test_those_that_shrank_most() -> None:
    assert named(difference(BASE, HEAD), rises=False) == ["less -123.2, called by e"]
    assert named(difference(HEAD, BASE), rises=False)[0] == "walk -131.0, called by f"
