# SPDX-License-Identifier: GPL-2.0-only
"""Files of patches: plain diffs, mails of git format-patch, mailboxes of several."""

import email
import email.header
import email.message
import email.utils
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.errors import HeaderParseError
from pathlib import Path

from zapbench.error import BuildFailed
from zapbench.kernel.git import DEVELOPERS, Signature

_BEGIN = re.compile(rb"^From [^\n]*\d:\d\d:\d\d +\d{4}[^\n]*\n", re.MULTILINE)
"""The first line of a mail in a mailbox, as git mailsplit knows it."""
_PREFIX = re.compile(r"^\[[^\]]*PATCH[^\]]*\]\s*")
_END = re.compile(r"^---$", re.MULTILINE)
_DIFF = re.compile(rb"^(?:diff --git |--- \S[^\n]*\n\+\+\+ \S|@@ -\d)", re.MULTILINE)
_HEADING = re.compile(rb"^(?:diff --git |\+\+\+ )[^\n]*", re.MULTILINE)

_UNREADABLE = {
    "is a context diff": re.compile(rb"^\*\*\* \S[^\n]*\n--- \S[^\n]*\n\*{15}", re.MULTILINE),
    "has a file that is only in one of the two trees": re.compile(rb"^Only in \S+: ", re.MULTILINE),
    "has a binary file without its content": re.compile(
        rb"^Binary files \S.* and \S.* differ$", re.MULTILINE
    ),
    "has a file whose content it does not say": re.compile(
        rb"^diff -(?!-git )[^\n]*\n(?!--- |Binary )", re.MULTILINE
    ),
}
"""What diff(1) writes that git apply does not read, and partly passes over in silence."""


@dataclass(frozen=True, slots=True)
class Described:
    """Who made a patch, when and why; ``notes`` say what was taken for granted."""

    message: str
    author: Signature
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mail:
    """One patch: the name to call it by, its headers if it is a mail, and the text below them."""

    name: str
    headers: Mapping[str, str]
    text: bytes
    charset: str = "utf-8"

    @property
    def title(self) -> str:
        """The subject without its prefix, or else what the file is called."""
        subject, _ = _decoded(self.headers.get("subject", ""))
        return _PREFIX.sub("", subject) or Path(self.name).stem

    def described(self, default: int) -> Described:
        """What a commit of it says.

        A mail without a date is of the time ``default``, one without a sender by ourselves.
        """
        notes = []
        why, clear = _in_charset(_DIFF.split(self.text, maxsplit=1)[0], self.charset)
        if not clear:
            notes.append(f"its text is not {self.charset}: some characters are lost")
        name, address, odd = _sender(self.headers.get("from"))
        if odd:
            notes.append(f"its From is {odd}: taken as {name} <{address}>")
        date = self.headers.get("date")
        when = seconds(date) if date else default
        if when is None:
            notes.append("its Date cannot be read: taken as that of the commit before it")
            when = default
        if not _decoded(self.headers.get("subject", ""))[1]:
            notes.append("its Subject is in no charset that is known: some characters are lost")
        message = f"{self.title}\n\n{_END.split(why, maxsplit=1)[0].strip()}".strip()
        said = tuple(f"{self.name}: {note}" for note in notes)
        return Described(message, (name, address, when), said)


def seconds(date: str) -> int | None:
    """A date as in mails, in seconds since 1970; None if it is none, or one before that."""
    fields = email.utils.parsedate_tz(date)
    if fields is None:
        return None
    with suppress(ValueError, OverflowError):
        zone = timezone(timedelta(seconds=fields[9] or 0))
        when = int(datetime(*fields[:6], tzinfo=zone).timestamp())
        return when if when >= 0 else None
    return None


def read(patch: Path) -> list[Mail]:
    """The patches in a file, in their order; mails without one, such as cover letters, left out.

    Raises:
        BuildFailed: it cannot be read, holds no patch, or holds one that git cannot apply.
    """
    try:
        raw = patch.read_bytes()
    except OSError as error:
        raise BuildFailed(f"cannot read patch {patch}: {error.strerror}") from error
    parts = list(_split(raw))
    several = len(parts) > 1
    found = []
    for number, part in enumerate(parts, 1):
        name = f"{patch.name} (mail {number})" if several else patch.name
        mail = _mail(name, part)
        for what, pattern in _UNREADABLE.items():
            begin = re.search(rb"^(?:diff|\*\*\*) ", mail.text, re.MULTILINE)
            if begin and pattern.search(mail.text, begin.start()):
                raise BuildFailed(f"{name} {what}: make it with git format-patch or git diff")
        if _DIFF.search(mail.text):
            found.append(mail)
        elif not mail.headers:
            raise BuildFailed(f"{name} does not apply: there is no patch in it")
    return found


def _split(raw: bytes) -> Iterator[bytes]:
    """The mails of a mailbox, or the one thing that a file is."""
    starts = [match.start() for match in _BEGIN.finditer(raw)]
    if not starts or raw[: starts[0]].strip():
        yield raw
        return
    for start, end in zip(starts, [*starts[1:], len(raw)], strict=True):
        yield raw[start:end]


def _mail(name: str, raw: bytes) -> Mail:
    message = email.message_from_bytes(raw)
    headers = {key.lower(): str(value) for key, value in reversed([*message.raw_items()])}
    if not headers.keys() & {"subject", "from", "date", "message-id"}:
        return Mail(name, {}, _plain(raw))
    parts = [part for part in message.walk() if not part.is_multipart()]
    texts = [text for part in parts if (text := _text(part, alone=len(parts) == 1))]
    charset = next((part.get_content_charset() for part in parts), None)
    return Mail(name, headers, _plain(b"\n".join(texts)), charset or "utf-8")


def _text(part: email.message.Message, *, alone: bool) -> bytes:
    """What a part of a mail holds, if it is text or a patch: mailers attach those as anything."""
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes) or part.get_content_type() == "text/html":
        return b""
    wanted = alone or part.get_content_maintype() == "text" or _DIFF.search(content)
    return content if wanted else b""


def _plain(text: bytes) -> bytes:
    """Without the line endings of mail, which are not those of the patched files."""
    first = _HEADING.search(text)
    return text.replace(b"\r\n", b"\n") if first and first[0].endswith(b"\r") else text


def _in_charset(text: bytes, charset: str) -> tuple[str, bool]:
    """As text, and whether all of it is in the charset; UTF-8 is tried where that is none."""
    for each in (charset, "utf-8"):
        with suppress(LookupError, ValueError):
            # As ASCII, mailers send whatever there is.
            return text.decode("utf-8" if each == "us-ascii" else each).replace("\0", ""), True
    return text.decode(errors="replace").replace("\0", ""), False


def _decoded(raw: str) -> tuple[str, bool]:
    """A header on one line, and whether its charset is known and all of it in that."""
    words = " ".join(raw.split())
    clear = True
    try:
        words = str(email.header.make_header(email.header.decode_header(words)))
    except (HeaderParseError, LookupError, ValueError):
        clear = False
    text = words.encode(errors="surrogateescape").decode(errors="replace")
    return re.sub(r"[\x00-\x1f\x7f]", "", " ".join(text.split())), clear and "\ufffd" not in text


def _sender(raw: str | None) -> tuple[str, str, str]:
    """Name and address, and what is odd about them."""
    if raw is None:
        return *DEVELOPERS, ""
    name, address = email.utils.parseaddr(" ".join(raw.split()))
    name, known = _decoded(name or address.partition("@")[0])
    address, clear = _decoded(address)
    # Git takes no angle brackets, and no name of nothing but such characters.
    name, address = (re.sub(r"[<>]", "", each) for each in (name, address))
    if not name.strip(" .,:;\"\\'"):
        return *DEVELOPERS, "without a name"
    return name, address, "" if known and clear else "in no charset that is known"
