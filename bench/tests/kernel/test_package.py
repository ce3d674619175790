# SPDX-License-Identifier: GPL-2.0-only
"""Installable packages of a kernel with a configuration of the user's."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from zapbench.error import DiskFull, EnvironmentMissing, UsageError
from zapbench.kernel import build, catalogue
from zapbench.kernel.package import build_packages

Require = Callable[[object, str], None]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot read kernel config"),
        ("", f"is no kernel configuration, such as /boot/config-{os.uname().release}"),
        ("Dear reader,\n", "'Dear reader,' is no CONFIG_"),
    ],
)
def test_what_is_no_configuration(tmp_path: Path, content: str | None, words: str) -> None:
    base = tmp_path / "config"
    if content is not None:
        base.write_text(content)
    with pytest.raises(UsageError) as caught:
        build_packages(catalogue.parse("6.12"), base, tmp_path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_place_where_no_packages_can_be(tmp_path: Path) -> None:
    base = tmp_path / "config"
    base.write_text("".join(f"CONFIG_{letter}=y\n" for letter in "ABCDEFGHIJKL"))
    with pytest.raises(DiskFull, match=r"cannot write .*config/deb: .*; choose another with -o"):
        build_packages(catalogue.parse("6.12"), base, base / "deb")


@pytest.mark.kernel
@pytest.mark.kernels  # minutes, and every object once more: not in each `make test`
@pytest.mark.timeout(3600)
def test_a_package_with_the_series(tmp_path: Path, require: Require) -> None:
    """With the small configuration of the benchmark kernels, as far as a package to install."""
    for program in ("dpkg-buildpackage", "dpkg-deb", "rsync", "fakeroot", "gcc", "flex", "bison"):
        require(shutil.which(program), f"{program} is not installed")
    try:
        base = build.build(catalogue.parse("6.12+madv-zap")).path / "config"
        made = build_packages(catalogue.parse("6.12+madv-zap"), base, tmp_path)
    except EnvironmentMissing as error:
        require(False, str(error))
        raise
    (image,) = made  # no modules, so no headers
    assert image.parent == tmp_path
    name = subprocess.check_output(["dpkg-deb", "-f", str(image), "Package"], text=True).strip()
    assert name.startswith("linux-image-6.12.")
    assert name.endswith("-zapbench-madv-zap")
    listing = subprocess.check_output(["dpkg-deb", "-c", str(image)], text=True)
    release = name.removeprefix("linux-image-")
    for part in ("vmlinuz", "config", "System.map"):
        assert f"./boot/{part}-{release}\n" in listing
    # apt would take it: all its relations can be satisfied here.
    done = subprocess.run(
        ["apt-get", "install", "-s", str(image)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert f"Inst {name}" in done.stdout
