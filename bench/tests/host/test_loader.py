# SPDX-License-Identifier: GPL-2.0-only
"""What chooses the next boot, on made-up machines with the menus that distributions make."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from zapbench.host.loader import INFO, how, installed
from zapbench.host.machine import Machine

DEBIAN = r"""
if [ "${next_entry}" ] ; then
   set default="${next_entry}"
   set next_entry=
fi
function load_video {
  if [ x$feature_all_video_module = xy ]; then
    insmod all_video
  fi
}
menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple-aa' {
        load_video
        linux   /boot/vmlinuz-6.12.57+deb13-amd64 root=UUID=aa ro  quiet
}
submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced-aa' {
        menuentry 'Linux' $menuentry_id_option 'gnulinux-6.12.57+deb13-amd64-advanced-aa' {
                linux   /boot/vmlinuz-6.12.57+deb13-amd64 root=UUID=aa ro  quiet
        }
        menuentry 'Recovery' $menuentry_id_option 'gnulinux-6.12.57+deb13-amd64-recovery-aa' {
                linux   /boot/vmlinuz-6.12.57+deb13-amd64 root=UUID=aa ro single
        }
        menuentry 'Rescue' $menuentry_id_option 'gnulinux-6.18.1-recovery-aa' {
                linux   /boot/vmlinuz-6.18.1 root=UUID=aa ro single
        }
}
menuentry "Mine, by hand" {
        linux   /vmlinuz-7.3.4-mine root=/dev/sda1
}
"""
SPECIFIED = "title Fedora Linux\nversion 6.17.1-300.fc43.x86_64\nlinux /vmlinuz-6.17.1-300.fc43\n"
SYSTEMD = "title Arch\nversion 7.3.4-arch1\nlinux /abc/7.3.4-arch1/linux\n"
STARTED = "\6\0\0\0" + "\0".join("systemd-boot 257.9") + "\0\0\0"

Make = Callable[..., Machine]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A machine with these files and programs, and nothing else."""

    def build(files: dict[str, str], *programs: str) -> Machine:
        for name in programs:
            (tmp_path / "bin").mkdir(exist_ok=True)
            (tmp_path / "bin" / name).touch(mode=0o755)
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return Machine(tmp_path, search_path=str(tmp_path / "bin"))

    return build


def command(said: str) -> list[str]:
    """The words of the command in what is said; without sudo, which a user's has in front."""
    _, line, rest = said.split("`")
    assert rest.startswith(", then reboot")
    words = shlex.split(line)
    return words[words[0] == "sudo" :]


@pytest.mark.parametrize(
    ("release", "entry"),
    [
        (
            "6.12.57+deb13-amd64",
            "gnulinux-advanced-aa>gnulinux-6.12.57+deb13-amd64-advanced-aa",
        ),
        ("7.3.4-mine", "Mine, by hand"),
    ],
)
def test_grub_is_told_of_an_entry_with_its_submenu(make: Make, release: str, entry: str) -> None:
    machine = make({"boot/grub/grub.cfg": DEBIAN}, "grub-reboot")
    said = how(machine, release)
    assert command(said) == ["grub-reboot", entry]
    assert said.endswith("reboot")


@pytest.mark.parametrize("release", ["6.18.1", "6.12.57", "6.12.57+deb13"])
def test_no_entry_but_one_for_recovery_or_of_another_kernel_is_none(
    make: Make, release: str
) -> None:
    said = how(make({"boot/grub/grub.cfg": DEBIAN}, "grub-reboot"), release)
    assert said == "choose it in the boot menu: no entry of GRUB was found for it"


def test_a_grub_that_would_not_obey_is_named(make: Make) -> None:
    menu = DEBIAN.replace("next_entry", "saved_entry")
    said = how(make({"boot/grub/grub.cfg": menu}, "grub-reboot"), "7.3.4-mine")
    assert command(said) == ["grub-reboot", "Mine, by hand"]
    assert "GRUB_DEFAULT=saved" in said


def test_a_grub_with_entries_of_the_specification(make: Make) -> None:
    files = {
        "boot/grub2/grub.cfg": 'set default="${next_entry}"\ninsmod blscfg\nblscfg\n',
        "boot/loader/entries/0123-6.17.1-300.fc43.x86_64.conf": SPECIFIED,
    }
    said = how(make(files, "grub2-reboot"), "6.17.1-300.fc43.x86_64")
    assert command(said) == ["grub2-reboot", "0123-6.17.1-300.fc43.x86_64"]


def test_systemd_boot_by_what_started_this_kernel(make: Make) -> None:
    files = {
        INFO: STARTED,
        "boot/grub/grub.cfg": DEBIAN,  # of an installation of before
        "efi/loader/entries/abc-7.3.4-arch1+2-1.conf": SYSTEMD,
        "efi/EFI/Linux/abc-6.18.1.efi": "MZ",
    }
    machine = make(files, "bootctl", "grub-reboot")
    assert command(how(machine, "7.3.4-arch1")) == [
        "bootctl",
        "set-oneshot",
        "abc-7.3.4-arch1.conf",
    ]
    assert command(how(machine, "6.18.1"))[-1] == "abc-6.18.1.efi"
    assert "no entry of systemd-boot" in how(machine, "6.12.57+deb13-amd64")


def test_without_a_loader_or_its_program_it_is_for_the_user(make: Make) -> None:
    assert how(make({}), "6.18.1") == "choose it in the boot menu"
    said = how(make({"boot/grub/grub.cfg": DEBIAN}), "7.3.4-mine")
    assert said == "choose it in the boot menu: GRUB has no grub-reboot here"


def test_a_kernel_is_installed_where_distributions_put_it(make: Make) -> None:
    machine = make({"boot/vmlinuz-6.18.1": "", "usr/lib/modules/7.3.4-arch1/vmlinuz": ""})
    assert installed(machine, "6.18.1")
    assert installed(machine, "7.3.4-arch1")
    assert not installed(machine, "6.18")
