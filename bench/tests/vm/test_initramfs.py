# SPDX-License-Identifier: GPL-2.0-only
"""The initial file system, read by others."""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from zapbench.vm import initramfs, qemu

Require = Callable[[object, str], None]


def test_the_archive_is_what_cpio_reads(tmp_path: Path, require: Require) -> None:
    require(shutil.which("cpio"), "cpio is not installed")
    entries = [
        initramfs.directory("dev"),
        initramfs.file("init", b"#!/bin/sh\n", 0o755),
        initramfs.file("empty", b""),
        initramfs.file("file", b"12345"),
        initramfs.link("link", "file"),
    ]
    done = subprocess.run(
        ["cpio", "-i", "-d", "--quiet"],
        input=initramfs.archive(entries),
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    assert done.stderr == b""
    assert (tmp_path / "dev").is_dir()
    assert (tmp_path / "init").read_bytes() == b"#!/bin/sh\n"
    assert stat.S_IMODE((tmp_path / "init").stat().st_mode) == 0o755
    assert (tmp_path / "empty").read_bytes() == b""
    assert (tmp_path / "link").readlink() == Path("file")
    assert (tmp_path / "link").read_bytes() == b"12345"


def test_the_archive_begins_as_the_format_says() -> None:
    made = initramfs.archive([initramfs.CONSOLE])
    assert made.startswith(b"070701" + b"00000001" + b"00002180" + b"00000000" * 2)
    assert made[6 + 9 * 8 : 6 + 11 * 8] == b"00000005" + b"00000001"
    assert b"TRAILER!!!\0" in made
    assert len(made) % 4 == 0


def test_the_path_of_a_kernel_need_not_be_text() -> None:
    entries = initramfs.guest(b"", ["--kernel", os.fsdecode(b"/od\xff/bzImage")], [])
    (words,) = (entry.content for entry in entries if entry.name == "args")
    assert words == b"--kernel\n/od\xff/bzImage\n"


def test_boots_differ_by_seed_and_number_and_by_nothing_else() -> None:
    made = {(seed, boot): initramfs.ballast(seed, boot) for seed in (0, 1) for boot in (0, 1)}
    assert len({str(ballast) for ballast in made.values()}) == 4
    assert initramfs.ballast(1, 1) == made[1, 1]


def test_the_file_system_is_a_valid_ext2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, require: Require
) -> None:
    monkeypatch.setenv("ZAPBENCH_CACHE", str(tmp_path))
    checker = shutil.which("e2fsck", path="/usr/sbin:/sbin:/usr/bin")
    require(checker, "e2fsprogs is not installed")
    image = tmp_path / "image"
    head = initramfs.file_system_head()
    assert len(head) < 128 << 10
    image.write_bytes(head)
    os.truncate(image, qemu.RAM_DISK_KIB << 10)
    assert checker is not None
    done = subprocess.run([checker, "-f", "-n", str(image)], check=False, capture_output=True)
    assert done.returncode == 0, done.stdout
    assert initramfs.file_system_head() == head
