# SPDX-License-Identifier: GPL-2.0-only
"""Which plugin the QEMU here takes, asked of QEMU itself."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from zapbench.error import EnvironmentMissing
from zapbench.explain import plugin
from zapbench.target import GUEST, guest_path
from zapbench.vm.qemu import PROGRAM

Require = Callable[[object, str], None]
# A plugin for an API of another version, which QEMU does not even call.
OTHER = """\
__attribute__((visibility("default"))) int qemu_plugin_version = %d;
__attribute__((visibility("default"))) int qemu_plugin_install(void) { return 1; }
"""


@pytest.fixture(autouse=True)
def qemu(require: Require) -> None:
    require(shutil.which(PROGRAM), f"{PROGRAM} is not installed")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A guest program in a directory of its own."""
    return Path(shutil.copy(guest_path(), tmp_path / GUEST))


def test_the_one_next_to_the_guest_program_is_chosen(place: Path, require: Require) -> None:
    try:
        chosen = plugin.choose()
    except EnvironmentMissing as error:
        require(False, str(error))
    assert chosen.name in plugin.FAMILIES.values()
    shutil.copy(chosen, place.parent)
    assert plugin.choose(place) == place.parent / chosen.name


@pytest.mark.parametrize(
    ("version", "said"), [(99, r"API up to \d+, zapbench"), (-1, r"API from \d+, zapbench")]
)
def test_a_qemu_of_other_versions_is_one_line(
    place: Path, version: int, said: str, require: Require
) -> None:
    require(shutil.which("cc"), "cc is not installed")
    (place.parent / "other.c").write_text(OTHER % version)
    for name in plugin.FAMILIES.values():
        command = ["cc", "-shared", "-fPIC", "-o", str(place.parent / name)]
        subprocess.run([*command, str(place.parent / "other.c")], check=True)
    with pytest.raises(
        EnvironmentMissing, match=rf"^this QEMU takes TCG plugins of {said}"
    ) as line:
        plugin.choose(place)
    assert "\n" not in str(line.value)


def test_no_plugin_is_one_line(place: Path) -> None:
    with pytest.raises(EnvironmentMissing, match=r"^the package holds no zapbench-plugin-1\.so"):
        plugin.choose(place)


def test_what_is_no_plugin_is_one_line(place: Path) -> None:
    for name in plugin.FAMILIES.values():
        (place.parent / name).write_bytes(b"no shared object")
    with pytest.raises(EnvironmentMissing, match=r"^QEMU does not take our plugin: .*") as line:
        plugin.choose(place)
    assert "\n" not in str(line.value)


def test_commas_are_doubled_for_qemu() -> None:
    assert plugin.option(Path("/a,b.so"), out="c,d", by=1) == "/a,,b.so,out=c,,d,by=1"
