# SPDX-License-Identifier: GPL-2.0-only
"""What a result directory was asked for, kept and taken up again."""

import shlex
from pathlib import Path

import pytest

from zapbench.error import DiskFull, UsageError
from zapbench.result.request import NOTHING, REQUEST, Asked, going_on, keep, settled

EVERYTHING = Asked(
    globs=("zap/*/shmem/4k/4k", "cycle/*"),
    target="vm",
    kernel="6.12+madv-zap",
    accel="icount",
    boots=9,
    seed=0,
    quick=True,
    place="/",
)


def test_what_is_kept_is_what_is_gone_on_with(tmp_path: Path) -> None:
    keep(tmp_path, "run", EVERYTHING)
    assert going_on(tmp_path, "run", NOTHING) == EVERYTHING


OTHERS = [name for name in Asked.__struct_fields__ if name not in ("place", "globs")]


@pytest.mark.parametrize("field", OTHERS)
def test_what_is_said_goes_before_what_is_kept(tmp_path: Path, field: str) -> None:
    keep(tmp_path, "run", Asked(globs=("x",), kernel="5", accel="tcg", boots=1, seed=7, place="/"))
    said = Asked(**{field: getattr(EVERYTHING, field)})
    found = going_on(tmp_path, "run", said)
    assert getattr(found, field) == getattr(EVERYTHING, field)
    assert found.place == "/"


def test_globs_are_added_to_those_that_were_asked_for(tmp_path: Path) -> None:
    keep(tmp_path, "run", Asked(globs=("x", "y"), boots=1))
    assert going_on(tmp_path, "run", Asked(globs=("y", "z"))).globs == ("x", "y", "z")


@pytest.mark.parametrize("quick", [False, True])
def test_a_grid_takes_no_further_globs(tmp_path: Path, quick: bool) -> None:
    keep(tmp_path, "run", Asked(quick=quick))
    with pytest.raises(UsageError, match=r"was asked for a whole grid: .* measure x y in a direct"):
        going_on(tmp_path, "run", Asked(globs=("x", "y")))


def test_a_result_of_a_campaign_is_gone_on_with_by_the_campaign(tmp_path: Path) -> None:
    keep(tmp_path / "a b/head", "campaign", Asked(boots=6))
    next_one = rf"go on in .*head with: zapbench campaign next -o '{tmp_path}/a b'$"
    with pytest.raises(UsageError, match=next_one):
        going_on(tmp_path / "a b/head", "run", NOTHING)


def test_the_place_is_where_it_was_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = settled(NOTHING, seed=3)
    assert (first.place, first.seed) == (str(tmp_path), 3)
    monkeypatch.chdir("/")
    assert settled(first) == first


def test_a_place_that_json_has_no_name_for_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / "\udcff"
    odd.mkdir()
    monkeypatch.chdir(odd)
    keep(tmp_path, "run", settled(NOTHING, seed=1))
    assert going_on(tmp_path, "run", NOTHING).place is None


def test_what_cannot_be_kept_is_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / REQUEST).mkdir()
    with pytest.raises(DiskFull, match=r"cannot write .*request.json"):
        keep(tmp_path, "run", NOTHING)


def test_another_command_s_results_are_named(tmp_path: Path) -> None:
    place = tmp_path / "it's"
    place.mkdir()
    keep(place, "survey", EVERYTHING)
    with pytest.raises(UsageError, match=r"go on in .* with: zapbench survey --resume") as caught:
        going_on(place, "run", NOTHING)
    words = shlex.split(str(caught.value).partition("with: ")[2])
    assert words == ["zapbench", "survey", "--resume", "-o", str(place)]
