# SPDX-License-Identifier: GPL-2.0-only
"""Virtual machines as a place where cases run."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from zapbench.case import Case, contract_grid, hugetlb_need
from zapbench.error import EnvironmentMissing, LostVm, UsageError
from zapbench.host import cache
from zapbench.host.cache import Progress, no_progress
from zapbench.host.process import find, output
from zapbench.host.scratch import scratch
from zapbench.kernel import build, catalogue
from zapbench.kernel import words as boot_words
from zapbench.kernel.build import Image
from zapbench.target import Job, guest_path
from zapbench.vm import initramfs, tsc
from zapbench.vm.machine import Boot, Timeouts
from zapbench.vm.qemu import ACCELERATORS, PORT, PROGRAM, VirtualMachine, arguments

GUEST_FILES = Path("/file")
"""Where the guest mounts the file system of the `file` backing."""
KVM = Path("/dev/kvm")
PROBED = "vm/kvm"
"""Where the cache keeps whether KVM works here."""
PROBE = Timeouts(first=5.0, silence=5.0)
ALIAS = "guest"
"""What every kernel is called in its machine: a longer name would move what is counted there."""
_RUN = b'"run":{"kernel":%s,'
_BASE_MEMORY = 768  # MiB for the kernel, the initramfs and the guest program
_BOOT_FLAG, _HEADER = (510, b"\x55\xaa"), (514, b"HdrS")  # Documentation/arch/x86/boot.rst


def named(kernel: str) -> catalogue.Kernel | None:
    """The kernel that a name stands for; None: it is an image file.

    Raises:
        UsageError: no such kernel or series, or a malformed name.
    """
    name, _ = boot_words.split(kernel)
    if not name.startswith(("git:", "tar:")) and (
        "/" in name.partition("+")[0] or Path(name).expanduser().is_file()
    ):
        return None
    return catalogue.parse(kernel)


def image_of(
    kernel: str, configuration: str | None = None, progress: Progress = no_progress
) -> Path:
    """The bzImage of a kernel, which is a name or an image file; built if need be.

    Boot words after it are for whoever boots it.

    Raises:
        UsageError: no such kernel, or a file that is no x86 kernel image.
        EnvironmentMissing, BuildFailed: see `zapbench.kernel.build.build`.
    """
    chosen = named(kernel)
    if chosen is not None:
        return build.build(chosen, configuration=configuration, progress=progress).bzimage
    path = Path(boot_words.split(kernel)[0]).expanduser()
    try:
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError as error:
        raise UsageError(f"cannot read kernel image {path}: {error.strerror}") from error
    for offset, magic in (_BOOT_FLAG, _HEADER):
        if head[offset : offset + len(magic)] != magic:
            raise UsageError(f"{path} is no kernel image: expected an x86 bzImage")
    if (path.parent / build.SUMS).exists() and not Image(path.parent).whole(path.name):
        raise UsageError(
            f"{path} is damaged: it has not the SHA-256 in {build.SUMS} next to it; "
            "`zapbench kernel build` makes it again"
        )
    return path.absolute()


def hugepages(cases: Sequence[Case]) -> dict[int, int]:
    """Pages to reserve by size in bytes: what the cases need, and a little for probing."""
    pools = {2 << 20: 16}
    for size, need in hugetlb_need(cases).items():
        pools[size] = max(pools.get(size, 0), -(-need // size) + 1)
    return pools


def memory(cases: Sequence[Case], pools: Mapping[int, int]) -> int:
    """MiB of a machine that runs the cases: twice the largest (a file and its RAM disk).

    Rounded up to whole GiB, so that a few cases more or less leave the machine as it is.
    """
    largest = max((case.memory for case in cases), default=0)
    need = (
        _BASE_MEMORY
        + (2 * largest >> 20)
        + sum(size * count >> 20 for size, count in pools.items())
    )
    return -(-need // 1024) * 1024


def version() -> str:
    """What QEMU says of itself.

    Raises:
        EnvironmentMissing: there is none.
    """
    return output([PROGRAM, "--version"]).partition("\n")[0]


class VmTarget:
    """A kernel in QEMU; see `zapbench.target.Target`.

    ``accel`` is a row of `ACCELERATORS`, or ``auto``: KVM if it boots this kernel, else TCG.
    The boot words of its name are added to the kernel's command line.  ``plugin`` is one of
    QEMU's, with its arguments: it watches, and moves no figure.  Constructing one builds the
    kernel and probes the accelerator.
    """

    def __init__(
        self,
        kernel: str,
        accel: str = "auto",
        *,
        configuration: str | None = None,
        guest: Path | None = None,
        timeouts: Timeouts | None = None,
        cpus: int = 2,
        perturb: bool = True,
        plugin: str | None = None,
        progress: Progress = no_progress,
    ) -> None:
        find(PROGRAM)
        self.kernel = kernel
        self._image = image_of(kernel, configuration, progress)
        self._guest = (guest or guest_path()).read_bytes()
        self._timeouts = timeouts or Timeouts()
        self._cpus = cpus
        self._perturb = perturb
        self._plugin = plugin
        self._words = boot_words.split(kernel)[1]
        self._stopped = False
        self._tsc_khz = tsc.host_khz()
        self.tier = self._choose(accel)

    def run(self, job: Job) -> Iterator[bytes]:
        """See `zapbench.target.Target.run`.

        Raises:
            EnvironmentMissing: QEMU refused to start.
            LostVm: the machine died, hung or wrote garbage before its ``end`` record.
            Interrupted: `interrupt` ended it.
        """
        options = replace(job, directory=GUEST_FILES, kernel=ALIAS).arguments()
        lines = self._boot(
            self.tier,
            self._timeouts,
            job.cases,
            boot=job.boot,
            seed=job.seed,
            options=options,
            room=job.room,
        )
        shown = os.fsencode(job.kernel).decode(errors="replace")
        name = json.dumps(shown, ensure_ascii=False).encode()
        for line in lines:
            yield line.replace(_RUN % json.dumps(ALIAS).encode(), _RUN % name, 1)

    def identity(self) -> str:
        """What bears on its records beside a job: 64 hex digits.

        Raises:
            EnvironmentMissing: there is no QEMU.
        """
        image, files, console, records = map(Path, "ifcr")  # wherever they are
        machine = VirtualMachine(
            self.tier,
            image,
            files,
            console,
            records,
            cpus=self._cpus,
            tsc_khz=self._tsc_khz,
            cmdline=self._words,
        )
        digest = hashlib.sha256(self._image.read_bytes())
        digest.update(self._guest)
        digest.update(json.dumps([version(), arguments(machine), self._perturb]).encode())
        return digest.hexdigest()

    def interrupt(self) -> None:
        """End the machine; the case that runs is lost, what was written is kept."""
        self._stopped = True

    def lines(
        self, cases: Sequence[str], *, boot: int, seed: int, options: Sequence[str] = ()
    ) -> Iterator[bytes]:
        """The record lines of one boot; ``options`` are words for ``zapbench-guest``.

        Raises:
            EnvironmentMissing: QEMU refused to start.
            LostVm: the machine died, hung or wrote garbage before its ``end`` record.
        """
        yield from self._boot(
            self.tier, self._timeouts, cases, boot=boot, seed=seed, options=options
        )

    def _boot(
        self,
        accelerator: str,
        timeouts: Timeouts,
        cases: Sequence[str],
        *,
        boot: int,
        seed: int,
        options: Sequence[str],
        room: Sequence[str] = (),
    ) -> Iterator[bytes]:
        clock = ACCELERATORS[accelerator].clock
        sized = [Case.parse(name) for name in room or cases]
        pools = hugepages(sized)
        mebibytes = memory(sized, pools)
        words = ["--out", PORT, "--cases", "/cases", "--clock", clock, *options]
        words += ["--qemu", version(), "--memory", str(mebibytes)]
        entries = initramfs.guest(self._guest, words, cases)
        kernel_words = self._words
        if self._perturb:
            files, variable = initramfs.ballast(seed, boot)
            entries, kernel_words = [*entries, *files], (*kernel_words, variable)
        self._stopped = False
        with scratch("vm") as root:
            (root / "initramfs").write_bytes(initramfs.archive(entries))
            machine = VirtualMachine(
                accelerator,
                self._image,
                root / "initramfs",
                root / "console",
                root / "records",
                memory=mebibytes,
                cpus=self._cpus,
                hugepages=pools,
                seed=seed * 1000 + boot if self._perturb else seed,
                tsc_khz=self._tsc_khz,
                cmdline=kernel_words,
                plugin=self._plugin,
            )
            yield from Boot(machine, timeouts, lambda: self._stopped)

    def _choose(self, accel: str) -> str:
        """The accelerator to use; KVM is believed when it has booted something, not before.

        Raises:
            UsageError: there is no such accelerator.
            EnvironmentMissing: KVM was asked for and does not run this kernel.
        """
        if accel not in (*ACCELERATORS, "auto"):
            raise UsageError(f"no accelerator {accel!r}: auto, {', '.join(ACCELERATORS)}")
        if accel in ("tcg", "icount"):
            return accel
        reason = self._probed()
        if reason and accel == "kvm":
            raise EnvironmentMissing(f"KVM does not run here: {reason}; use --accel tcg or icount")
        return "tcg" if reason else "kvm"

    def _probed(self) -> str | None:
        """Why KVM cannot be used; None if it can.  Asked once per boot of this machine."""
        if not os.access(KVM, os.R_OK | os.W_OK):
            return f"{KVM} is missing, or not for this user"
        host = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        identity = [host, version()]
        if (kept := cache.recall(PROBED)) is not None:
            known = json.loads(kept)
            if known["of"] == identity:
                return str(known["reason"]) if known["reason"] else None
        reason = None
        cases = [str(next(cell.case for cell in contract_grid() if cell.excluded is None))]
        options = ["--kernel", self.kernel, "--tier", "kvm", "--contract-only"]
        try:
            for _ in self._boot("kvm", PROBE, cases, boot=0, seed=0, options=options):
                pass
        except (LostVm, EnvironmentMissing) as error:
            reason = str(error)
        cache.remember(PROBED, json.dumps({"of": identity, "reason": reason}).encode())
        return reason
