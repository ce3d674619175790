# SPDX-License-Identifier: GPL-2.0-only
"""Names of kernels, and what is said about wrong ones."""

from pathlib import Path

import pytest

from zapbench.error import UsageError
from zapbench.kernel import catalogue
from zapbench.kernel.catalogue import DebianSource, GitSource, TarballSource, load, parse

DIGEST = "0123456789abcdef" * 4


def test_the_catalogue_of_the_project() -> None:
    assert set(load()) == {"6.1", "6.12", "7.2", "7.3"}
    assert {"6.12+madv-zap", "7.3+madv-zap"} <= set(catalogue.names())


def test_every_name_listed_can_be_parsed_and_has_its_patches() -> None:
    for name in catalogue.names():
        kernel = parse(name)
        assert kernel.name == name
        assert (kernel.series is not None) == ("+" in name)
        assert all(patch.is_file() for patch in (kernel.series.patches if kernel.series else ()))


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("6.12", DebianSource("linux-source-6.12")),
        ("6.12.113", DebianSource("linux-source-6.12", release="6.12.113")),
        ("7.3", DebianSource("linux-source-7.3", "trixie-backports")),
        ("git:/home/me/linux@v6.12", GitSource("/home/me/linux", "v6.12")),
        ("git:me@host:c++/linux@HEAD~2", GitSource("me@host:c++/linux", "HEAD~2")),
        (f"tar:/tmp/linux.tar.xz@{DIGEST}", TarballSource("/tmp/linux.tar.xz", DIGEST)),
    ],
)
def test_names_and_their_sources(name: str, source: object) -> None:
    assert parse(name).source == source


def test_a_series_may_be_a_directory_or_one_patch(tmp_path: Path) -> None:
    for name in ("0002-b.patch", "0001-a.patch", "cover"):
        (tmp_path / name).write_text("")
    for text in (f"6.12+{tmp_path}", f"git:/linux@HEAD+{tmp_path}"):
        series = parse(text).series
        assert series is not None
        assert [patch.name for patch in series.patches] == ["0001-a.patch", "0002-b.patch"]
    one = parse(f"6.12+{tmp_path}/0002-b.patch").series
    assert one is not None
    assert [patch.name for patch in one.patches] == ["0002-b.patch"]


def test_a_series_may_be_several_directories_one_after_the_other() -> None:
    posted, control = parse("7.3+madv-zap").series, parse("7.3+dontneed-vma-lock").series
    assert posted is not None
    assert control is not None
    assert control.patches[:-1] == posted.patches
    assert control.patches[-1].parent.name == "7.3-dontneed-vma-lock"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("6.99", "unknown kernel '6.99'"),
        ("6.99.1", "unknown kernel '6.99.1'"),
        ("6.99+madv-zap", "unknown kernel '6.99+madv-zap': "),
        ("6.99+madv-zap?boot=quiet", "unknown kernel '6.99+madv-zap?boot=quiet': "),
        ("6.99+madv-zap", "one of `zapbench kernel list` (6.1, 6.12, 6.12+madv-zap, "),
        ("", "unknown kernel ''"),
        ("6.12+nothing", "no series 'nothing' for 6.12 (known: 6.12+madv-zap)"),
        ("6.1+madv-zap", "no series 'madv-zap' for 6.1 (known: none)"),
        ("6.12+/nowhere", "no *.patch in /nowhere"),
        ("git:/linux", "lacks its @REF"),
        ("git:/linux@", "'' is not a git ref"),
        ("git:/linux@--upload-pack=x", "'--upload-pack=x' is not a git ref"),
        ("git:-c@HEAD", "'-c' is not a git repository"),
        ("tar:/linux.tar", "lacks its @SHA256"),
        ("tar:/linux.tar@123", "needs its SHA-256 (64 hex digits), not '123'"),
        (f"tar:-x@{DIGEST}", "'-x' is not a path or URL"),
    ],
)
def test_wrong_names(name: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(name)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kernel = [", "is not a table of kernels"),
        ("other = 1", "is not a table of kernels"),
        ('[kernel."9"]\nsuite = "x"', "kernel 9: needs debian, or git and ref"),
        (
            '[kernel."9"]\ndebian = "x"\ncolour = "red"',
            "contains unknown field `colour`",
        ),
        ('[kernel."9"]\ngit = "/linux"\nref = "-x"', "'-x' is not a git ref"),
        ('[kernel."9"]\ndebian = 9', "kernel 9: Expected `str | null`, got `int` - at `$.debian`"),
        ('[kernel."9"]\ndebian = "x"\nseries = "s"', "kernel 9: Expected `object`, got `str`"),
        ('[kernel."9"]\ndebian = "x"\nconfig = [1]', "kernel 9: Expected `str`, got `int`"),
        ("[kernel]\n9 = 1", "kernel 9: Expected `object`, got `int`"),
        ("kernel = 1", "is not a table of kernels: Expected `object`, got `int`"),
        ("[kernel]\n[other]", "is not a table of kernels: Object contains unknown field `other`"),
    ],
)
def test_wrong_catalogues(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "kernels.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        load(path)
    assert words in str(caught.value)
    with pytest.raises(UsageError, match="cannot read"):
        load(tmp_path / "none.toml")
