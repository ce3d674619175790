# SPDX-License-Identifier: GPL-2.0-only
"""Boot words in names of kernels: what they are, whose a question mark is, and wrong ones."""

from pathlib import Path

import pytest

from zapbench.error import UsageError
from zapbench.kernel.catalogue import GitSource, parse
from zapbench.kernel.words import recorded, short, split

DIGEST = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("6.12", "6.12", ()),
        ("6.12?boot=nosmt", "6.12", ("nosmt",)),
        ("6.12+madv-zap?boot=mutant=once,quiet", "6.12+madv-zap", ("mutant=once", "quiet")),
        ("./bzImage?boot=a", "./bzImage", ("a",)),
        ("6.12?boot=isolcpus=domain%2C1,x=%25", "6.12", ("isolcpus=domain,1", "x=%")),
        ("git:~/linux@HEAD~3?boot=memmap=1G@4G", "git:~/linux@HEAD~3", ("memmap=1G@4G",)),
        ("git:https://h/r?a=b@v1", "git:https://h/r?a=b@v1", ()),
        ("git:https://h/r?boot=b@v1", "git:https://h/r?boot=b@v1", ()),
        ("git:https://h/r?a=b@v1?boot=x", "git:https://h/r?a=b@v1", ("x",)),
        ("git:me@host:r?a=b@v1", "git:me@host:r?a=b@v1", ()),
        (f"tar:https://h/t?a=b@{DIGEST}", f"tar:https://h/t?a=b@{DIGEST}", ()),
    ],
)
def test_the_words_of_a_name(text: str, name: str, words: tuple[str, ...]) -> None:
    assert split(text) == (name, words)
    assert not words or recorded(text) == words


def test_a_question_mark_of_a_path_stays_in_it(tmp_path: Path) -> None:
    image = tmp_path / "bzImage?boot=x"
    image.touch()
    series = tmp_path / "series?"
    series.mkdir()
    (series / "0001.patch").touch()
    assert split(str(image)) == (str(image), ())
    assert split(f"{image}?boot=y") == (str(image), ("y",))
    found = parse(f"6.12+{series}?boot=y").series
    assert found is not None
    assert split(f"6.12+{series}") == (f"6.12+{series}", ())
    assert found.patches == (series / "0001.patch",)


def test_the_kernel_is_the_one_without_them() -> None:
    assert parse("6.12+madv-zap?boot=a,b") == parse("6.12+madv-zap")
    assert parse("git:/linux@v1?boot=a").source == GitSource("/linux", "v1")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("6.12?boot=", "boot= names no words"),
        ("6.12?", "comes boot=WORD,WORD and nothing else"),
        ("6.12?x=y", "comes boot=WORD,WORD and nothing else"),
        ("6.12?boot=a&x=y?z=1", "comes boot=WORD,WORD and nothing else"),
        ("./bzImage?x=y", "comes boot=WORD,WORD and nothing else"),
        ("git:/linux@v1?x=y", "comes boot=WORD,WORD and nothing else"),
        ("?boot=a", "need a kernel or an image before the ?"),
        ("6.12?boot=a,,b", "a boot word is empty"),
        ("6.12?boot=a b", "printable ASCII without spaces"),
        ("6.12?boot=a%20b", "printable ASCII without spaces"),
        ("6.12?boot=a%", "a percent sign %25"),
        ('6.12?boot="a"', "printable ASCII without spaces"),
        ("6.12?boot='a'", "printable ASCII without spaces"),
        ("6.12?boot=a\\b", "printable ASCII without spaces"),
        ("6.12?boot=a\nb", "printable ASCII without spaces"),
        ("6.12?boot=a%0Ab", "printable ASCII without spaces"),
        ("6.12?boot=\udc80", "printable ASCII without spaces"),
        ("6.12?boot=größe", "printable ASCII without spaces"),
        ("6.12?boot=a,--,b", "-- would end the kernel's own words"),
        (f"6.12?boot={'a' * 2000}", "longer than 1024 characters"),
    ],
)
def test_wrong_words(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_without_a_kernel_for_its_words() -> None:
    with pytest.raises(UsageError, match="unknown kernel"):
        parse("6.99?boot=a")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("6.12", "6.12"),
        ("/home/me/bzImage", "bzImage"),
        ("./a/bzImage?boot=root=/dev/vda,x", "bzImage?boot=root=/dev/vda,x"),
        ("6.12?boot=init=/a", "6.12?boot=init=/a"),
    ],
)
def test_a_name_as_it_is_shown(name: str, shown: str) -> None:
    assert short(name) == shown
