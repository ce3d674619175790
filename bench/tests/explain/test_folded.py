# SPDX-License-Identifier: GPL-2.0-only
"""Folded stacks as flamegraph.pl and difffolded.pl read them."""

import re

from zapbench.explain.difference import Cost
from zapbench.explain.folded import folded, safe

FLAMEGRAPH = re.compile(r"^(.*)\s+?(\d+(?:\.\d*)?)$")
"""flamegraph.pl: a stack and a figure; with a second figure it is applied twice."""


def test_a_line_is_a_path_and_its_figure() -> None:
    assert folded({("a", "b"): Cost(None, 7), ("a",): Cost(None, 3)}) == "a 3\na;b 7\n"


def test_of_two_sides_the_base_comes_first() -> None:
    assert folded({("a", "b"): Cost(0, 7)}) == "a;b 0 7\n"


def test_names_cannot_be_taken_for_anything_else() -> None:
    text = folded({("a;b c", "d\n\x1b[31m", "é 9"): Cost(4, 7)})
    assert text == "a\\x3bb\\x20c;d\\x0a\\x1b[31m;é\\x209 4 7\n"
    stack, head = FLAMEGRAPH.fullmatch(text.rstrip("\n")).groups()  # type: ignore[union-attr]
    stack, base = FLAMEGRAPH.fullmatch(stack).groups()  # type: ignore[union-attr]
    assert (stack.count(";"), base, head) == (2, "4", "7")


def test_what_a_terminal_obeys_is_shown() -> None:
    assert safe("do_madvise.isra.0") == "do_madvise.isra.0"
    assert safe("\x1b]0;x\x07\udc80\u202e") == "\\x1b]0;x\\x07\\udc80\\u202e"
    assert safe("a|b", "|") == "a\\x7cb"
