# SPDX-License-Identifier: GPL-2.0-only
"""Mutants before anything is built: what is made of a patch, and whether the score is of these."""

from pathlib import Path

import mutant_boots
import mutants
import mutate
import pytest
from mutants import ARGUED, BY_HAND, UNSHOWN
from places import ROOT

from zapbench.case import promises

PATCH = """\
Subject: [PATCH] mm: toy

---
diff --git a/mm/toy.c b/mm/toy.c
--- a/mm/toy.c
+++ b/mm/toy.c
@@ -10,4 +10,22 @@ int before(void)
 \ta();
 \tb();
 \td();
+/* if (this) is a comment; */
+static int toy(int x,
+\t       int y)
+{
+\tint z = y, w = 0;
+\tstruct toy t = { .a = 1, .b = 0 };
+
+\t/*
+\t * So is
+\t * this();
+\t */
+\tif (x && (y ||
+\t\t  z))
+\t\treturn 1;
+\tfor_each_toy(x)
+\t\ttoys(x, "a;b");
+\tx += 2;
+\treturn 0;
+}
 \tc();
"""
"""One of each kind of line."""


def made_of(text: str, tmp_path: Path) -> mutate.Mutated:
    path = tmp_path / "0001.patch"
    path.write_text(text)
    (made,) = mutate.series([path])
    return made


def test_what_is_made_of_a_patch(tmp_path: Path) -> None:
    made = made_of(PATCH, tmp_path)
    assert [(each.line, each.text, each.change) for each in made.mutants] == [
        (24, "x && (y || z)", "inverted"),
        (24, "x", "inverted"),
        (24, "(y || z)", "inverted"),
        (26, "return 1", "left out"),
        (28, 'toys(x, "a;b")', "left out"),
        (29, "x += 2", "left out"),
    ]
    assert [each.text for each in made.left_out] == [
        "int z = y, w = 0",
        "struct toy t = { .a = 1, .b = 0 }",
        "for_each_toy(x)",
        "return 0",
    ]
    alive = [mutate.ALIVE.format(number=number) for number in range(1, 7)]
    lines = made.text.splitlines()
    assert f"+\tif (({alive[0]} ^ !!(({alive[1]} ^ !!(x)) && ({alive[2]} ^ !!((y ||" in lines
    assert "+\t\t  z))))))" in lines
    assert f"+\t\tif (!{alive[3]}) return 1;" in lines
    assert f"@@ -10,4 +10,{22 + len(mutate.DEFINITION)} @@ int before(void)" in lines


def test_nothing_else_in_a_patch_is_touched(tmp_path: Path) -> None:
    made = made_of(PATCH, tmp_path)
    before, after = PATCH.splitlines(), made.text.splitlines()
    assert len(after) == len(before) + len(mutate.DEFINITION)
    assert [each for each in after if not each.startswith(("+", "@@"))] == [
        each for each in before if not each.startswith(("+", "@@"))
    ]


@pytest.mark.parametrize("base", ["6.12", "7.3"])
def test_the_series_have_mutants_enough_and_their_selftests_none(base: str) -> None:
    patches = sorted((ROOT / "kernel/series" / base).glob("*.patch"))
    made = mutate.series(patches)
    names = [mutant.name for each in made for mutant in each.mutants]
    assert len(names) >= 21
    assert len(set(names)) == len(names)
    for path, each in zip(patches, made, strict=True):
        assert each.mutants or each.text == path.read_text()


def test_a_third_has_some_of_each_kind() -> None:
    for kind in (mutants.BY_HAND, mutants.by_rule()):
        chosen = mutants.third(kind)
        assert len(kind) / 3 <= len(chosen) <= len(kind) / 2
        assert {each.kind for each in kind if each.word in chosen} == {each.kind for each in kind}


def test_a_mutant_by_hand_is_in_the_patch_and_seen_by_what_is_booted() -> None:
    patch = mutants.PATCH.read_text()
    for each in BY_HAND:
        assert f'"{each.name}")' in patch
        assert {case for case, _ in each.seen} <= set(mutant_boots.CASES)
    assert len({each.name for each in BY_HAND}) == len(BY_HAND)


def test_the_score_is_of_these_mutants_and_none_survives() -> None:
    rows = mutant_boots.known()
    heads = [*map(mutant_boots.head, BY_HAND), *map(mutant_boots.head, mutants.by_rule())]
    assert [head for head in heads if head not in rows] == [], "make mutants"
    assert [head for head, caught in rows.items() if caught == mutant_boots.SURVIVED] == []
    assert set(ARGUED) <= {each.name for each in mutants.by_rule()}
    assert f" {len(heads)} ways" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_is_explained_as_it_is_written() -> None:
    """What `make mutants` writes below the score; it says what no mutant is of."""
    said = mutant_boots.INTRODUCTION.partition("{score}")[2]
    assert said in mutant_boots.TABLE.read_text(encoding="utf-8")
    assert "N, M alone" in said
    assert "MMU notifiers" in said


def test_every_promise_catches_a_mutant_or_none_can_break_it() -> None:
    """CONTRIBUTING.md: a new promise adds its mutant."""
    signs = {sign for caught in mutant_boots.known().values() for sign in caught.split(", ")}
    shown = {name for name in promises() if f"`{name}`" in signs}
    assert shown | set(UNSHOWN) == set(promises()), "give it a mutant, or say why there is none"
    assert shown & set(UNSHOWN) == set()
