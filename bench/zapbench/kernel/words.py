# SPDX-License-Identifier: GPL-2.0-only
"""Boot words in a kernel's name: ``6.12?boot=nosmt,mitigations=off``.

They go on the kernel's command line.  The image is that of the name without them, but what is
measured is another kernel: the whole name is its name in records.
"""

import re
import urllib.parse
from pathlib import Path

from zapbench.error import UsageError

KEY = "boot="
LONGEST = 1024
"""Characters of all words: x86 cuts a command line at 2048, and the machine's own come first."""

_WORD = re.compile(r"[!#-&(-\[\]-~]+")
"""Printable ASCII without a space, a quote or a backslash."""
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def split(text: str) -> tuple[str, tuple[str, ...]]:
    """What is built or booted, and the boot words after it.

    Words are separated by commas; ``%2C`` is a comma in a word, ``%25`` a percent sign.  A ``?``
    of a path or a URL stays in it.

    Raises:
        UsageError: what is after the ``?`` is not boot words, or no kernel is before it.
    """
    name, mark, query = text.rpartition("?")
    if not mark or _is_of_a_place(text, name, query):
        return text, ()
    if not query.startswith(KEY):
        raise UsageError(
            f"{text!r}: after the ? of a kernel's name comes {KEY}WORD,WORD and nothing else"
        )
    if not name:
        raise UsageError(f"{text!r}: boot words need a kernel or an image before the ?")
    if query == KEY:
        raise UsageError(f"{text!r}: {KEY} names no words")
    words = _decoded(query)
    for word in words:
        _check(word, text)
    if sum(map(len, words)) + len(words) > LONGEST:
        raise UsageError(f"the boot words of {name} are longer than {LONGEST} characters")
    return name, words


def recorded(name: str) -> tuple[str, ...]:
    """The boot words of a name that was measured, as a record has it."""
    _, mark, query = name.rpartition("?")
    return _decoded(query) if mark and query.startswith(KEY) else ()


def short(name: str) -> str:
    """A name as pictures and pages show it: an image without its directory, boot words whole."""
    place, mark, query = name.rpartition(f"?{KEY}")
    return f"{(place if mark else query).rsplit('/')[-1]}{mark}{query if mark else ''}"


def _decoded(query: str) -> tuple[str, ...]:
    encoded = query.removeprefix(KEY).split(",")
    return tuple(urllib.parse.unquote(word, errors="surrogateescape") for word in encoded)


def _is_of_a_place(text: str, name: str, query: str) -> bool:
    """Whether the ``?`` is of a path that exists, or of where a git tree or a tarball is."""
    paths = [text, *(text[place + 1 :] for place, mark in enumerate(text) if mark == "+")]
    if any(map(_exists, paths)):
        return True
    if not text.startswith(("git:", "tar:")) or "@" not in query:
        return False
    return "@" not in name or not query.startswith(KEY)


def _exists(path: str) -> bool:
    try:
        return Path(path).expanduser().exists()
    except (OSError, ValueError, RuntimeError):  # longer than a name may be, a null byte, no home
        return False


def _check(word: str, text: str) -> None:
    if word == "--":
        raise UsageError(f"{text!r}: -- would end the kernel's own words")
    if not word:
        raise UsageError(f"{text!r}: a boot word is empty")
    if not _WORD.fullmatch(word) or _ESCAPE.search(text.rpartition("?")[2]):
        raise UsageError(
            f"{text!r}: boot words are printable ASCII without spaces, quotes and backslashes; "
            "a comma in a word is written %2C, a percent sign %25"
        )
