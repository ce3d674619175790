# SPDX-License-Identifier: GPL-2.0-only
"""Mails of patches: what their headers may hold, and how odd ones become commits all the same."""

from pathlib import Path

import pytest
import toy_kernel
from toy_kernel import git

from zapbench.error import BuildFailed
from zapbench.kernel import catalogue, mail
from zapbench.kernel.git import DEVELOPERS, Repository
from zapbench.kernel.history import patches
from zapbench.kernel.mail import Described

DIFF = """\
--- a/init/main.c
+++ b/init/main.c
@@ -1 +1 @@
-void start(void) { for (;;) ; }
+int x;
"""
GOOD = "From: Some One <some@localhost>\nDate: Fri, 07 Mar 2025 12:00:00 +0200\nSubject: x\n"
DEFAULT = 1_700_000_000


def described(tmp_path: Path, headers: bytes | str, body: str = "Why.\n---\n") -> Described:
    """A mail with these headers, committed to a toy and read back."""
    path = tmp_path / "0001-odd.patch"
    raw = headers if isinstance(headers, bytes) else headers.encode()
    path.write_bytes(raw + b"\n" + body.encode() + DIFF.encode())
    [found] = mail.read(path)
    said = found.described(DEFAULT)
    toy_kernel.repository(tmp_path / "linux")
    repository = Repository(tmp_path / "history")
    repository.make(tmp_path / "linux/.git/objects")
    base = git(tmp_path / "linux", "rev-parse", "HEAD")
    tip = patches.put(repository, base, catalogue.series_at("x", path), "toy")
    shown = git(repository.path, "show", "-s", "--format=%an%n%ae%n%B", tip.commit)
    name, address, message = shown.split("\n", 2)
    assert (name, address) == said.author[:2]
    assert message == said.message
    git(repository.path, "fsck", "--strict", "--no-dangling", "--connectivity-only")
    assert len(tip.notes) == len(said.notes)
    return said


def test_a_mail_as_git_writes_it(tmp_path: Path) -> None:
    said = described(tmp_path, GOOD.replace("x\n", "[RFC PATCH v2 1/3] mm:\n zap\n"))
    assert said == Described(
        "mm: zap\n\nWhy.", ("Some One", "some@localhost", 1741341600), ()
    )  # fmt: skip


@pytest.mark.parametrize(
    ("date", "when"),
    [
        ("Fri, 07 Mar 2025 12:00:00 +0200", 1741341600),
        ("Fri, 07 Mar 2025 10:00:00 -0000", 1741341600),
        ("Fri, 07 Mar 2025 10:00:00", 1741341600),
        ("7 Mar 2025 10:00 GMT", 1741341600),
        ("Fri, 07 Mar 2025 10:00:00 +0000 (UTC)", 1741341600),
    ],
)
def test_dates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, date: str, when: int) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    said = described(tmp_path, GOOD.replace("Fri, 07 Mar 2025 12:00:00 +0200", date))
    assert (said.author[2], said.notes) == (when, ())


@pytest.mark.parametrize(
    "date",
    [
        *("yesterday", "Fri, 32 Mar 2025 12:00:00 +0200", "Fri, 07 Foo 2025 12:00:00 +0200"),
        *("Fri, 07 Mar 2025 12:00:00 +9999", "Fri, 07 Mar 2025 12:00:00 -99999"),
        *("Thu, 01 Jan 1960 00:00:00 +0000", "Fri, 07 Mar 99999 12:00:00 +0000", "0", "+", ","),
        "Fri, 07 Mar 2025 25:61:61 +0000",
    ],
)
def test_dates_that_are_none(tmp_path: Path, date: str) -> None:
    said = described(tmp_path, GOOD.replace("Fri, 07 Mar 2025 12:00:00 +0200", date))
    assert said.author[2] == DEFAULT
    assert "0001-odd.patch: its Date cannot be read" in said.notes[0]


@pytest.mark.parametrize(
    ("sender", "author", "note"),
    [
        ("Some One <some@localhost>", ("Some One", "some@localhost"), ""),
        ("=?utf-8?q?S=C3=B6me_One?= <some@localhost>", ("Söme One", "some@localhost"), ""),
        ('"One, Some" <some@localhost>', ("One, Some", "some@localhost"), ""),
        ("some@localhost", ("some", "some@localhost"), ""),
        ("some@localhost (Some One)", ("Some One", "some@localhost"), ""),
        ("", DEVELOPERS, "its From is without a name"),
        ("<>", DEVELOPERS, "its From is without a name"),
        ("... <some@localhost>", DEVELOPERS, "its From is without a name"),
        ("=?no-such?q?S=C3=B6me?= <some@localhost>", None, "in no charset that is known"),
        ("=?utf-8?b?!!!?= <some@localhost>", None, ""),
        ("=?utf-8?q?S=FFme?= <some@localhost>", None, "in no charset that is known"),
    ],
)
def test_senders(tmp_path: Path, sender: str, author: tuple[str, str] | None, note: str) -> None:
    said = described(tmp_path, GOOD.replace("Some One <some@localhost>", sender))
    assert author is None or said.author[:2] == author
    assert said.author[1]
    assert note in "".join(said.notes)
    assert bool(note) == bool(said.notes) or author is None


@pytest.mark.parametrize(
    "headers",
    [
        GOOD.encode().replace(b"Some", b"S\xf6me"),
        GOOD.encode().replace(b"Subject: x", b"Subject: z\xe4p"),
        GOOD.encode() + b"Content-Type: text/plain; charset=unknown-8bit\n",
        GOOD.encode() + b"Content-Type: text/plain; charset=no-such\n",
        GOOD.encode() + b"Content-Type: text/plain; charset=\n",
        GOOD.encode() + b"Content-Type: nonsense\n",
        GOOD.encode() + b"Content-Type: multipart/mixed\n",
        GOOD.encode() + b"Content-Transfer-Encoding: x-odd\n",
        GOOD.encode().replace(b"Subject: x", b"Subject: =?no-such?b?AAAA?= \x00\x07 =?q?"),
        b"Subject: x\n",
        b"Date: Fri, 07 Mar 2025 12:00:00 +0200\n",
    ],
)
def test_odd_headers_make_a_commit(tmp_path: Path, headers: bytes) -> None:
    assert described(tmp_path, headers).message


def test_raw_utf8_headers_and_a_body_in_another_charset(tmp_path: Path) -> None:
    said = described(tmp_path, GOOD.replace("Some", "Söme").replace(": x", ": zäp"))
    assert said.author[0] == "Söme One"
    assert said.message.startswith("zäp\n")
    assert not said.notes
    path = tmp_path / "latin.patch"
    head = GOOD.encode() + b"Content-Type: text/plain; charset=iso-8859-1\n\nGr\xfc\xdfe\n---\n"
    path.write_bytes(head + DIFF.encode())
    [found] = mail.read(path)
    assert found.described(0).message == "x\n\nGrüße"
    path.write_bytes(GOOD.encode() + b"\nGr\xfc\xdfe\n---\n" + DIFF.encode())
    [found] = mail.read(path)
    assert "its text is not utf-8" in found.described(0).notes[0]


def test_a_mailbox_is_cut_where_mails_begin(tmp_path: Path) -> None:
    begin = "From 0123456789abcdef Mon Sep 17 00:00:00 2001\n"
    quoted = "From here on, at 12:00 in 2001\n"
    path = tmp_path / "all.mbox"
    cover = f"{begin}{GOOD.replace('x', 'cover')}\nHello\n\n"
    path.write_text(f"{cover}{begin}{GOOD}\n{quoted}\n---\n{DIFF}\n{begin}{GOOD}\nRe\n")
    [found] = mail.read(path)
    assert found.name == "all.mbox (mail 2)"
    assert found.described(0).message == f"x\n\n{quoted.strip()}"


def test_a_file_that_is_no_patch(tmp_path: Path) -> None:
    path = tmp_path / "x.patch"
    for content in (b"", b"\0\xff" * 100, b"hello\n", b"%PDF-1.4\n"):
        path.write_bytes(content)
        with pytest.raises(BuildFailed, match=r"x\.patch does not apply: there is no patch in it"):
            mail.read(path)
