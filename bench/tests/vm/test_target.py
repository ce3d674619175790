# SPDX-License-Identifier: GPL-2.0-only
"""Virtual machines as targets: accelerators, memory, images."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from scripted_qemu import CASE, CONTEXT, END

from zapbench.case import Case
from zapbench.error import EnvironmentMissing, UsageError
from zapbench.host.packages import install
from zapbench.target import Job
from zapbench.vm import Timeouts, VmTarget, image_of, target


def test_memory_and_huge_pages_for_the_cases() -> None:
    small = [Case.parse(CASE)]
    assert target.hugepages(small) == {2 << 20: 16}
    assert target.memory(small, target.hugepages(small)) == 1024
    large = [Case.parse("zap/dontneed/hugetlb/2m/64m"), Case.parse("zap/dontneed/shmem/4k/64m")]
    pools = target.hugepages(large)
    assert pools[2 << 20] * (2 << 20) >= large[0].memory
    assert target.memory(large, pools) << 20 > 2 * large[1].memory + (pools[2 << 20] << 21)


def test_kvm_is_believed_when_it_has_booted(
    scripted: Callable[..., VmTarget], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "KVM", Path(os.devnull))
    works = f"echo '{CONTEXT}' >>$records; echo '{END}' >>$records"
    assert scripted(works, "auto").tier == "kvm"
    # Remembered until the host boots again: no second probe.
    assert scripted("exit 1", "auto").tier == "kvm"


def test_boot_words_are_in_the_name_and_on_the_command_line(
    scripted: Callable[..., VmTarget],
) -> None:
    answer = f"echo '{CONTEXT}' >>$records; echo '{END}' >>$records"
    vm = scripted(f'case "$*" in *" x=a,b quiet "*) {answer};; esac', words="?boot=x=a%2Cb,quiet")
    assert vm.kernel.endswith("bzImage?boot=x=a%2Cb,quiet")
    assert len(list(vm.lines([CASE], boot=0, seed=1))) == 2
    for wrong in ("?x=y", "?boot=", "?boot=a b"):
        with pytest.raises(UsageError, match=r"bzImage\?(boot=|x=y)"):
            scripted("exit 1", words=wrong)


def test_the_program_is_told_of_the_machine_that_it_cannot_see(
    scripted: Callable[..., VmTarget],
) -> None:
    """And all boots of a measurement have machines of one size, whatever is left to do in them."""
    large = ("zap/dontneed/shmem/4k/256m",)
    assert target.memory([Case.parse(large[0])], target.hugepages([])) == 2048
    vm = scripted(
        'case $(tr "\\n\\0" "  " <"${console%console}initramfs") in '
        '*"--start 2"*"--qemu QEMU emulator version 0 --memory 2048 "*) '
        f"echo '{CONTEXT}' >>$records; echo '{END}' >>$records;; esac"
    )
    assert len(list(vm.run(Job((CASE,), "k", "tcg", room=large)))) == 2


def test_kvm_that_opens_and_runs_nothing(
    scripted: Callable[..., VmTarget], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "KVM", Path(os.devnull))
    monkeypatch.setattr(target, "PROBE", Timeouts(first=0.5, silence=0.5))
    hangs = "while :; do sleep 60; done"
    assert scripted(hangs, "auto").tier == "tcg"
    with pytest.raises(EnvironmentMissing, match=r"KVM does not run here: .*hung"):
        scripted(hangs, "kvm")
    assert scripted(hangs, "icount").tier == "icount"


def test_without_the_device_there_is_no_probe(
    scripted: Callable[..., VmTarget], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "KVM", Path("/nowhere/kvm"))
    assert scripted("sleep 60", "auto").tier == "tcg"
    with pytest.raises(EnvironmentMissing, match="/nowhere/kvm is missing"):
        scripted("sleep 60", "kvm")


def test_there_is_no_such_accelerator(scripted: Callable[..., VmTarget]) -> None:
    with pytest.raises(UsageError, match="no accelerator 'xen': auto, kvm, tcg, icount"):
        scripted("exit 1", "xen")


def test_no_qemu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)
    with pytest.raises(EnvironmentMissing, match=install("qemu-system-x86")):
        VmTarget("6.12", "tcg")


@pytest.mark.parametrize("content", [b"", b"\x7fELF" + bytes(2000), bytes(510) + b"\x55\xaa"])
def test_an_image_that_is_no_kernel(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "image"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="is no kernel image: expected an x86 bzImage"):
        image_of(str(path))
    with pytest.raises(UsageError, match="cannot read kernel image /nowhere"):
        image_of("/nowhere")
    with pytest.raises(UsageError, match="cannot read kernel image"):
        image_of(str(tmp_path))
