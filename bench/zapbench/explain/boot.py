# SPDX-License-Identifier: GPL-2.0-only
"""One boot that is explained: the same records as without, and what they are made of."""

from collections.abc import Sequence
from pathlib import Path

from zapbench.error import UsageError
from zapbench.explain import plugin, program, symbols, trace
from zapbench.explain.attribution import Explained, explained
from zapbench.explain.trace import By
from zapbench.host.cache import Progress, no_progress
from zapbench.host.scratch import scratch
from zapbench.record import Record, parse
from zapbench.target import Job, guest_path
from zapbench.vm import VmTarget, image_of

TIER = "icount"


def explain(
    kernel: str,
    job: Job,
    *,
    by: By = By.PATH,
    configuration: str | None = None,
    guest: Path | None = None,
    perturb: bool = True,
    progress: Progress = no_progress,
) -> tuple[list[bytes], list[Explained]]:
    """Boot a kernel with the plugin: the lines of its records, and its cases explained.

    ``job`` is what a measurement under icount would have: its figures come out the same.

    Raises:
        UsageError: no such kernel, or the job is of another tier.
        EnvironmentMissing: QEMU, a plugin that it takes, or the kernel's System.map is missing.
        LostVm: the machine was lost.
        Unexplained: what was counted is not what was recorded.
    """
    if job.tier != TIER:
        raise UsageError(f"instructions are counted under {TIER} only, not {job.tier}")
    guest = guest or guest_path()
    chosen = plugin.choose(guest)  # before a kernel is built in vain
    image = image_of(kernel, configuration, progress)
    known = symbols.read(image)
    seen = program.read(guest)
    with scratch("explain") as root:
        (root / "functions").write_bytes(known.functions())
        option = plugin.option(
            chosen,
            out=root / "trace",
            functions=root / "functions",
            clock=seen.clock.start,
            clock_end=seen.clock.stop,
            by=by.name.lower(),
        )
        target = VmTarget(
            kernel, TIER, configuration=configuration, guest=guest, perturb=perturb, plugin=option
        )
        lines = list(target.run(job))
        records: Sequence[Record] = list(parse(lines, f"boot {job.boot} of {kernel}"))
        return lines, explained(trace.read(root / "trace"), records, seen, known)
