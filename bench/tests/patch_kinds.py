# SPDX-License-Identifier: GPL-2.0-only
"""Changes of every kind that git knows, and every form that patches of them come in."""

import base64
import binascii
import email
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from toy_kernel import git

from zapbench.kernel.beneath import read
from zapbench.kernel.tree import Tree

LINES = "".join(f"line {number}\n" for number in range(40))


BASE = {
    "Makefile": LINES,
    "mm/madvise.c": LINES,
    "mm/old.c": "int old;\n",
    "mm/empty.c": "",
    "mm/run.sh": "#!/bin/sh\n",
    "mm/dos.c": LINES.replace("\n", "\r\n"),
    "mm/end.c": "no newline",
    "mm/image.bin": bytes(range(256)).decode("latin-1"),
    "mm/sub/one.c": "int one;\n",
    "mm/sub/two.c": "int two;\n",
    'odd/a "quoted"\tname\\ é': "odd\n",
    "odd/ spaces at both ends ": "odd\n",
    "a/mm/named.c": LINES,
}


Change = Callable[[Path], None]


def put(name: str, content: str, mode: int = 0o644) -> Change:
    """Write a file."""

    def change(root: Path) -> None:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir() and not path.is_symlink():
            path.rmdir()  # git removes the directories that it empties
        path.unlink(missing_ok=True)
        path.write_text(content, encoding="latin-1" if "\xff" in content else "utf-8", newline="")
        path.chmod(mode)

    return change


def edit(name: str, old: str, new: str) -> Change:
    """Change the text of a file."""

    def change(root: Path) -> None:
        raw = (root / name).read_bytes()
        assert old.encode() in raw
        (root / name).write_bytes(raw.replace(old.encode(), new.encode()))

    return change


def move(old: str, new: str, *, keep: bool = False) -> Change:
    """Rename or copy a file."""

    def change(root: Path) -> None:
        (root / new).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copy2 if keep else shutil.move)(root / old, root / new)

    return change


def drop(*names: str) -> Change:
    """Remove files."""

    def change(root: Path) -> None:
        for name in names:
            (root / name).unlink()

    return change


def link(name: str, target: str) -> Change:
    """Make a symbolic link, in the place of what is there."""

    def change(root: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).unlink(missing_ok=True)
        (root / name).symlink_to(target)

    return change


def both(*changes: Change) -> Change:
    """Several changes in one patch."""

    def change(root: Path) -> None:
        for each in changes:
            each(root)

    return change


KINDS: dict[str, Change] = {
    "edit": edit("mm/madvise.c", "line 3\n", "line three\n"),
    "edit far": both(
        edit("mm/madvise.c", "line 10\n", ""), edit("mm/madvise.c", "line 35\n", "more\n35\n")
    ),
    "edit in the root": edit("Makefile", "line 20\n", "line twenty\n"),
    "new": put("mm/zap/zap.c", LINES),
    "new empty": put("mm/zap/Kconfig", ""),
    "new executable": put("scripts/zap.sh", "#!/bin/sh\nexit\n", 0o755),
    "new empty executable": put("scripts/nothing.sh", "", 0o755),
    "new in the root": put("Zap", "zap\n"),
    "fill": put("mm/empty.c", "full\n"),
    "empty": put("mm/old.c", ""),
    "delete": drop("mm/sub/one.c"),
    "delete the last of a directory": drop("mm/sub/two.c"),
    "delete empty": drop("mm/empty.c"),
    "mode": lambda root: (root / "mm/run.sh").chmod(0o755),
    "mode back and content": put("mm/run.sh", "#!/bin/sh\ntrue\n", 0o644),
    "rename": move("mm/madvise.c", "mm/advice/madvise.c"),
    "rename and edit": both(
        move("mm/advice/madvise.c", "mm/m.c"), edit("mm/m.c", "line 9\n", "nine\n")
    ),
    "copy": both(move("mm/m.c", "mm/n.c", keep=True), edit("mm/m.c", "line 30\n", "thirty\n")),
    "binary": put("mm/new.bin", "".join(map(chr, range(256)))),
    "binary changed": put("mm/image.bin", "".join(map(chr, range(255, -1, -1)))),
    "binary deleted": drop("mm/new.bin"),
    "CRLF": edit("mm/dos.c", "line 7\r\n", "line seven\r\n"),
    "CRLF new": put("mm/dos2.c", "a\r\nb\r\n"),
    "CRLF mixed": edit("mm/dos.c", "line 20\r\n", "line twenty\n"),
    "no newline": put("mm/end.c", "still no newline"),
    "newline": put("mm/end.c", "a newline\n"),
    "newline gone": put("mm/end.c", "a newline"),
    "quoted": edit('odd/a "quoted"\tname\\ é', "odd", "even"),
    "quoted new": put("odd/new\nline", "odd\n"),
    "quoted rename": move('odd/a "quoted"\tname\\ é', 'odd/another "one"\\'),
    "quoted new empty": put('odd/ü "empty" ', ""),
    "spaces": edit("odd/ spaces at both ends ", "odd", "even"),
    "spaces new": put("odd/b b/b b", "a\n"),
    "dashes": put("mm/dashes", "-- a\n++ b\n--- a/x\n+++ b/x\n@@ -1 +1 @@\nFrom me\n"),
    "dashes changed": put("mm/dashes", "- a\n++ c\n--- a/y\n+++ b/x\n@@ -1 +1 @@\nFrom you\n"),
    "link": link("mm/link.c", "../Makefile"),
    "link changed": link("mm/link.c", "m.c"),
    "link to a directory": link("mm/sub2", "sub"),
    "file to link": link("mm/old.c", "n.c"),
    "link to file": put("mm/old.c", "no link\n"),
    "link deleted": drop("mm/link.c"),
    "file to directory": both(drop("mm/end.c"), put("mm/end.c/inner.c", "in\n")),
    "directory to file": both(drop("mm/end.c/inner.c"), put("mm/end.c", "out\n")),
    "link to directory": both(drop("mm/sub2"), put("mm/sub2/three.c", "int three;\n")),
    "directory named a": edit("a/mm/named.c", "line 1\n", "line one\n"),
    "much": both(
        edit("Makefile", "line 1\n", "1\n"), put("b/x", "x\n"), drop("odd/b b/b b"),
        move("mm/n.c", "mm/p.c"), edit("a/mm/named.c", "line 30\n", "30\n"),
    ),
}  # fmt: skip
"""Changes, each on top of those before it."""


ALONE = {
    name for name in KINDS
    if name.startswith(("edit", "new", "fill", "empty", "mode", "CRLF", "spaces", "directory n"))
    or name in ("delete empty", "rename", "binary", "no newline", "quoted", "quoted new", "link")
} - {"mode back and content", "edit far"}  # fmt: skip
"""Those that can be the first."""


def raw(root: Path, *words: str) -> bytes:
    """What git prints, byte by byte."""
    command = ["git", "-C", str(root), "-c", "user.name=t", "-c", "user.email=t@t", *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def format_patch(*options: str) -> Callable[[Path, Path, str], None]:
    """Write base..tip as a series with options."""

    def make(root: Path, out: Path, first: str) -> None:
        git(root, "format-patch", "-q", *options, "-o", str(out), first)

    return make


def mailbox(*options: str) -> Callable[[Path, Path, str], None]:
    """All in one file."""

    def make(root: Path, out: Path, first: str) -> None:
        out.mkdir()
        (out / "all.mbox").write_bytes(raw(root, "format-patch", "--stdout", *options, first))

    return make


def plain(*options: str) -> Callable[[Path, Path, str], None]:
    """A diff without a mail."""

    def make(root: Path, out: Path, first: str) -> None:
        out.mkdir()
        (out / "all.diff").write_bytes(raw(root, "diff", "--binary", *options, first, "HEAD"))

    return make


def each_plain(root: Path, out: Path, first: str) -> None:
    """A diff without a mail for each commit."""
    out.mkdir()
    for number, commit in enumerate(git(root, "rev-list", "--reverse", f"{first}..").split()):
        shown = raw(root, "show", "--format=", "--binary", "--no-renames", commit)
        (out / f"{number:04}.patch").write_bytes(shown)


def quoted_printable(root: Path, out: Path, first: str) -> None:
    """As mailers encode what is not ASCII, or has long lines."""
    format_patch()(root, out, first)
    for path in out.iterdir():
        message = email.message_from_bytes(path.read_bytes())
        body = message.get_payload(decode=True)
        assert isinstance(body, bytes)
        for header in ("Content-Transfer-Encoding", "MIME-Version", "Content-Type"):
            del message[header]
        message["MIME-Version"] = "1.0"
        message["Content-Type"] = "text/plain; charset=UTF-8"
        odd = int(path.name[:4]) % 2
        message["Content-Transfer-Encoding"] = "base64" if odd else "quoted-printable"
        coded = base64.encodebytes(body) if odd else binascii.b2a_qp(body, istext=False)
        message.set_payload(coded.decode("ascii"))
        path.write_bytes(message.as_bytes(unixfrom=True))


def crlf_mails(root: Path, out: Path, first: str) -> None:
    """As mail travels, and some mailers store it."""
    format_patch("--binary")(root, out, first)
    for path in out.iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


FORMS: dict[str, Callable[[Path, Path, str], None]] = {
    "format-patch": format_patch(),
    "cover letter": format_patch("--cover-letter"),
    "renames and copies": format_patch("-M", "-C", "--find-copies-harder"),
    "no renames": format_patch("--no-renames", "--full-index"),
    "no statistics": format_patch("-p", "-k", "--zero-commit", "--no-signature"),
    "one line of context": format_patch("-U1"),
    "no prefix": format_patch("--no-prefix", "--no-renames"),
    "other prefixes": format_patch("--src-prefix=old/", "--dst-prefix=new/"),
    "attached": format_patch("--attach"),
    "inline": format_patch("--inline"),
    "other names": format_patch("--suffix=.mbx"),
    "mailbox": mailbox(),
    "mailbox with cover letter": mailbox("--cover-letter", "--thread=deep", "--signoff"),
    "diff": plain(),
    "diff with renames": plain("-M", "-C"),
    "mnemonic prefixes": plain("--src-prefix=i/", "--dst-prefix=w/"),
    "a diff each": each_plain,
    "encoded": quoted_printable,
    "CRLF mails": crlf_mails,
}


QUICK = ("cover letter", "no prefix", "mailbox with cover letter", "diff with renames", "encoded")


def fresh(path: Path) -> Path:
    """A repository with the base."""
    for name, content in BASE.items():
        put(name, content)(path)
    git(path, "init", "-q", "-b", "main")
    commit(path, "base")
    return path


def commit(path: Path, subject: str) -> None:
    """Commit all there is."""
    git(path, "add", "-A", "--force")
    git(path, "commit", "-q", "--allow-empty", "-m", f"{subject}: ü\n\nFrom here\non: --- it is.")


def tree_of(root: Path, ref: str, place: Path) -> Tree:
    """A check-out by git that is as good as an unpacked tarball."""
    tree = Tree(place, "toy")
    tree.source.mkdir(parents=True)
    archive = raw(root, "archive", ref)
    subprocess.run(["tar", "-x", "-C", str(tree.source)], input=archive, check=True)
    return tree


def files(directory: Path) -> dict[str, tuple[str, bytes]]:
    """Kind and content of all that is below."""
    found = {}
    for path in directory.rglob("*"):
        name = str(path.relative_to(directory))
        content = read(directory, name)
        if content is not None:
            found[name] = content.kind, content.data
    return found
