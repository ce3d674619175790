# SPDX-License-Identifier: GPL-2.0-only
"""Where something is in a TOML file."""

from hypothesis import given
from hypothesis import strategies as st

from zapbench.gate.schema import Position, whereabouts

GOOD = """\
[[budget]]
cases = "zap/dontneed/shmem/4k/*"
limit = "+2 %"
reason = "why"
"""


@given(st.integers(0, 5), st.integers(0, 3), st.sampled_from(["", "  ", "\t"]))
def test_the_nth_table_is_found(before: int, blank: int, indent: str) -> None:
    text = GOOD * before + "\n" * blank + f'{indent}[[budget]]\n{indent}"limit"="x"\n'
    place = whereabouts(text, "budget", before, "limit")
    assert place == Position(4 * before + blank + 2, 1 + len(indent))
