# SPDX-License-Identifier: GPL-2.0-only
"""A MADV_ZAP that is broken on purpose is caught: a third of all mutants, or all (`make mutants`).

Everything runs under icount.
"""

import datetime
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from os import sched_getaffinity

import mutant_boots
import mutants
import pytest
from mutant_boots import CASES, TIMED, Outcome
from mutants import ALL, ARGUED, BY_HAND, ByHand, ByRule

from zapbench.error import EnvironmentMissing
from zapbench.kernel.build import Image

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(1800)]
Require = Callable[[object, str], None]
Mutant = ByHand | ByRule
Outcomes = Callable[[Mutant | type], Outcome]
"""What came of a mutant, or of a kind's kernel without one."""

BY_RULE = mutants.by_rule()
THIRD = mutants.third(BY_HAND) | mutants.third(BY_RULE)
HAND = [each for each in BY_HAND if ALL or each.word in THIRD]
RULE = [each for each in BY_RULE if ALL or each.word in THIRD]
MUTANTS: tuple[Mutant, ...] = (*HAND, *RULE)
NONE = {ByHand: "none", ByRule: "0"}
"""The word of either kernel with which it is right."""


@contextmanager
def whole(require: Require) -> Iterator[None]:
    """Turn what the machine lacks into a skip, or into a failure with CI=true."""
    try:
        yield
    except EnvironmentMissing as error:
        require(False, str(error))


@pytest.fixture(scope="module")
def images(require: Require, tmp_path_factory: pytest.TempPathFactory) -> dict[type, Image]:
    """The kernels, built if the cache lacks them."""
    with whole(require):
        return {
            ByHand: mutants.by_hand_image(),
            ByRule: mutants.by_rule_image(tmp_path_factory.mktemp("by-rule")),
        }
    raise AssertionError


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, images: dict[type, Image]) -> Iterator[Outcomes]:
    """What comes of all that is asked for: as many boots at once as there are CPUs."""
    names = " ".join(item.nodeid for item in request.session.items if item.path == request.path)
    with ThreadPoolExecutor(len(sched_getaffinity(0))) as pool:
        booted: dict[Mutant | type, Future[Outcome]] = {
            each: pool.submit(work(images, each))
            for each in (*MUTANTS, ByHand, ByRule)
            if f"[{label(each)}]" in names or ALL
        }
        try:
            yield lambda each: booted[each].result()
        finally:
            pool.shutdown(cancel_futures=True)


def label(each: Mutant | type) -> str:
    """What a test of it is called."""
    return each.__name__ if isinstance(each, type) else f"{type(each).__name__}-{each.word}"


def work(images: dict[type, Image], each: Mutant | type) -> Callable[[], Outcome]:
    """A boot with all cases; for a third of the mutants what must tell, or until something does."""
    if isinstance(each, type):
        return partial(mutant_boots.boot, images[each], NONE[each], CASES)
    image = images[type(each)]
    if ALL or isinstance(each, ByRule):
        return partial(mutant_boots.boot, image, each.word, CASES, until_caught=not ALL)
    return partial(mutant_boots.boot, image, each.word, [case for case, _ in each.seen])


@pytest.mark.parametrize("mutant", HAND, ids=label)
def test_a_mutant_by_hand_is_caught_where_it_must_be(outcomes: Outcomes, mutant: ByHand) -> None:
    """Its cases get no figure, and their errors say what is wrong."""
    outcome = outcomes(mutant)
    for case, words in mutant.seen:
        assert [words in reason for reason in outcome.errors(case)] == [True], outcome.errors(case)
        assert case not in outcome.samples()


@pytest.mark.parametrize("mutant", RULE, ids=label)
def test_a_mutant_by_rule_is_caught_or_argued(outcomes: Outcomes, mutant: ByRule) -> None:
    signs = outcomes(mutant).signs
    if mutant.name in ARGUED:
        assert not signs, f"{mutant.name} can be told: take it out of ARGUED"
    else:
        assert signs, f"{mutant.name} survives: sharpen a check, or argue"


@pytest.mark.parametrize("kind", [ByHand, ByRule], ids=label)
def test_the_same_kernel_without_a_mutant_is_right_and_gets_its_numbers(
    outcomes: Outcomes, kind: type
) -> None:
    outcome = outcomes(kind)
    assert outcome.signs == {}
    assert outcome.samples() == set(TIMED)


def test_the_table_says_what_was_seen(outcomes: Outcomes, images: dict[type, Image]) -> None:
    """`make mutants` writes it anew."""
    rows = [(each, outcomes(each)) for each in MUTANTS]
    if ALL:
        day = datetime.datetime.now(datetime.UTC).date().isoformat()
        made = mutant_boots.table(images[ByHand].meta["release"], day, rows)
        mutant_boots.TABLE.write_text(made, encoding="utf-8")
    known = mutant_boots.known()
    for each, outcome in rows:
        caught = known[mutant_boots.head(each)]
        assert any(sign in caught for sign in outcome.signs) or each.name in ARGUED, each
