# SPDX-License-Identifier: GPL-2.0-only
import errno
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from zapbench.error import DiskFull, EnvironmentMissing
from zapbench.host import file

HOLD = """
import sys
from pathlib import Path
from zapbench.host.file import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(path: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_file_is_replaced_as_a_whole_and_its_directory_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new/place/a.txt"
    file.write_atomically(path, b"one")
    reader = path.open("rb")
    file.write_atomically(path, b"other", durable=True)
    with reader:
        assert reader.read() == b"one"  # who reads it sees all of the old one
    assert path.read_bytes() == b"other"
    assert [each.name for each in path.parent.iterdir()] == ["a.txt"]


def test_what_cannot_be_written_leaves_the_file_of_before(small_disk: Path) -> None:
    path = small_disk / "a.txt"
    path.write_bytes(b"before")
    with pytest.raises(OSError, match="No space left"):
        file.write_atomically(path, bytes(1 << 20))
    with pytest.raises(DiskFull, match=r"cannot write .*a.txt: No space left.*another with -o"):
        file.write_output(path, bytes(1 << 20))
    assert path.read_bytes() == b"before"
    assert not list(file.drafts(path))
    assert [each.name for each in small_disk.iterdir()] == ["a.txt"]


def test_the_same_content_keeps_its_time_stamp(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    assert file.write_if_changed(path, b"one")
    before = path.stat()
    assert not file.write_if_changed(path, b"one")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert file.write_if_changed(path, b"two")


@pytest.mark.parametrize("what", ["", "lock"], ids=["a directory", "a file"])
def test_a_lock_keeps_others_out_until_its_holder_ends(tmp_path: Path, what: str) -> None:
    path = tmp_path / what
    process = holder(path)
    with (
        pytest.raises(EnvironmentMissing, match="somebody else has it"),
        file.locked(path, patience=0, busy="somebody else has it"),
    ):
        pass
    told = []

    def end() -> None:
        told.append("waiting")
        process.kill()

    with file.locked(path, end):
        assert told == ["waiting"]
    process.communicate()
    with file.locked(path, lambda: told.append("again")):
        pass
    assert told == ["waiting"]


@pytest.mark.parametrize("error", [0, errno.EINVAL])
def test_two_directories_exchange_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for path in (one, other):
        path.mkdir()
        (path / "name").write_text(path.name)
    if error:  # what a file system says that cannot exchange them: an impossible flag
        monkeypatch.setattr(file, "_RENAME_EXCHANGE", 1 << 20)
    file.exchange(one, other)
    assert (one / "name").read_text() == "other"
    assert (other / "name").read_text() == "one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other"]
    with pytest.raises(FileNotFoundError):
        file.exchange(one, tmp_path / "absent")


@pytest.mark.parametrize(
    ("name", "locale", "read"),
    [
        (b"plain", "utf-8", "plain"),
        ("µ".encode(), "utf-8", "µ"),
        ("µ".encode(), "ascii", "µ"),
        ("µ".encode("latin-1"), "latin-1", "µ"),
        (b"od\xff", "utf-8", "od\ufffd"),
        (b"od\xff", "ascii", "od\ufffd"),
    ],
)
def test_a_name_is_quoted_alike_in_each_locale(name: bytes, locale: str, read: str) -> None:
    assert file.readable(name.decode(locale, "surrogateescape")) == read


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_is_never_wider_open_than_asked(tmp_path: Path, mode: int) -> None:
    file.write_atomically(tmp_path / "file", b"", mode=mode)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode
