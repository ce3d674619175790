# SPDX-License-Identifier: GPL-2.0-only
"""What is asked is told from its words, and what does not go together is refused first."""

from fractions import Fraction
from pathlib import Path

import pytest
import synthetic
from made_stream import CASE

from zapbench.error import UsageError
from zapbench.explain.answer import Answer, Figure, ask, labels
from zapbench.explain.difference import Cost, Difference

KERNEL, OTHER = "6.12", "6.12+madv-zap"
REMAP = "zap/remap/shmem/4k/4k"


def counted(directory: Path, tier: str = "icount", *, kernel: str = KERNEL, seed: int = 7) -> str:
    run = synthetic.run_of(kernel=kernel, tier=tier)
    record = synthetic.samples(run, CASE, (5, 6, 7), unit="instructions")
    directory.mkdir()
    lines = synthetic.stream(
        run, record, synthetic.skip(run, REMAP), unit="instructions", seed=seed
    )
    (directory / "records.jsonl").write_bytes(b"".join(lines))
    return str(directory)


def test_what_is_before_the_cases_is_booted() -> None:
    one = ask([KERNEL, REMAP, CASE])
    assert [each.kernel for each in one.sides] == [KERNEL]
    assert set(one.cases) == {REMAP, CASE}
    two = ask([KERNEL, OTHER, CASE])
    assert [each.kernel for each in two.sides] == [KERNEL, OTHER]
    assert two.cases == (CASE,)


def test_a_glob_may_stand_for_cases() -> None:
    assert REMAP in ask([KERNEL, "zap/*/shmem/4k/4k"]).cases


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([KERNEL], "and a case"),
        ([CASE], "name a kernel or result directory"),
        ([CASE, CASE], "name a kernel or result directory"),
        ([KERNEL, OTHER], "and a case"),
        ([KERNEL, OTHER, KERNEL, CASE], "kernels can be two at most"),
        ([KERNEL, "zap/remap/shmem/4k/4x"], "'4x' is not a size"),
        ([KERNEL, "zap/remap/nothing/4k/4k"], "no such backing|cannot be measured|near it"),
        ([KERNEL, CASE, OTHER], "'6.12\\+madv-zap' is not a case"),
        (["no-such-kernel", CASE], "no-such-kernel"),
        (["./nowhere", CASE], "nowhere"),
    ],
)
def test_wrong_words_are_a_line(words: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        ask(words)
    assert "\n" not in str(caught.value)


def test_options_that_do_not_go_together() -> None:
    with pytest.raises(UsageError, match="--against-method is about one kernel, and these are two"):
        ask([KERNEL, OTHER, CASE], "remap")
    with pytest.raises(UsageError, match="--sample is about one kernel"):
        ask([KERNEL, OTHER, CASE], sample="max")
    with pytest.raises(UsageError, match="--sample goes with neither"):
        ask([KERNEL, CASE], sample="3", deferred=True)
    with pytest.raises(UsageError, match="--sample goes with neither"):
        ask([KERNEL, CASE], "remap", "max")
    for wrong in ("-1", "least", "", "1.5", "²"):
        with pytest.raises(UsageError, match="--sample takes max or a number"):
            ask([KERNEL, CASE], sample=wrong)


def test_another_method_is_one_of_that_case() -> None:
    assert ask([KERNEL, CASE], "remap").method == "remap"
    with pytest.raises(UsageError, match="no method is called 'remop'"):
        ask([KERNEL, CASE], "remop")
    with pytest.raises(UsageError, match=r"no such case is available: .*/guard_toggle/"):
        ask([KERNEL, "zap/madv_zap/hugetlb/2m/2m"], "guard_toggle")


def test_results_say_how_their_kernel_is_booted(tmp_path: Path) -> None:
    (side,) = ask([counted(tmp_path / "r"), CASE]).sides
    assert (side.kernel, side.seed) == (KERNEL, 7)
    assert (side.effort.samples, side.effort.max_seconds) == (11, 0.5)
    assert side.room == tuple(sorted((CASE, REMAP)))


def test_a_kernel_next_to_results_is_booted_like_them(tmp_path: Path) -> None:
    base, head = ask([counted(tmp_path / "r"), OTHER, CASE]).sides
    assert (head.kernel, head.results) == (OTHER, None)
    assert (head.seed, head.effort, head.room) == (base.seed, base.effort, base.room)
    old, new = ask([counted(tmp_path / "s", seed=8), counted(tmp_path / "t"), CASE]).sides
    assert (old.seed, new.seed) == (8, 7)


def test_only_what_was_counted_can_be_explained(tmp_path: Path) -> None:
    for tier in ("native", "tcg", "kvm"):
        directory = counted(tmp_path / tier, tier)
        with pytest.raises(UsageError, match=f"has tier {tier}: only what was counted"):
            ask([directory, CASE])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="is no result directory"):
        ask([str(tmp_path / "empty"), CASE])


def test_two_results_of_one_kernel_go_by_their_directories(tmp_path: Path) -> None:
    words = [counted(tmp_path / name) for name in ("old", "new")]
    assert labels(ask([*words, CASE]).sides) == words
    assert labels(ask([words[0], OTHER, CASE]).sides) == [KERNEL, OTHER]
    assert labels(ask([words[0], CASE]).sides) == [KERNEL]


def told(median: float | None, recorded: float | None = None) -> list[str]:
    found = Difference(CASE, 8, Cost(None, 17), (), {})
    return Answer(found, Figure(KERNEL, Fraction(17, 8), median, recorded)).remarks()


def test_a_mean_is_next_to_the_median_and_where_they_differ_it_is_said() -> None:
    assert told(2.125) == ["mean 2.13, median 2.13 (what compare and gate print)"]
    (said,) = told(2.0)
    assert "the mean is 0.13 above" in said
    assert "(--sample max explains the dearest)" in said
    assert told(None) == []


def test_the_recorded_median_is_next_to_that_of_the_boot() -> None:
    (said,) = told(2.125, 2.125)
    assert said == (
        "mean 2.13, median 2.13 in this boot; recorded median (what compare and gate print) 2.13"
    )
    (said,) = told(2.125, 3.0)
    assert said.endswith(" 3.00, of all boots, in which other cases ran, too")
