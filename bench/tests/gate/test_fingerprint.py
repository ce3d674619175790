# SPDX-License-Identifier: GPL-2.0-only
"""What makes two machines different."""

from pathlib import Path

import synthetic
from gate_boots import OLD, changed, context

from zapbench.gate.fingerprint import (
    common,
    differences,
    lasting,
    of_context,
    of_machine,
    unknown,
)
from zapbench.host.machine import Machine


def test_perturbation_and_kernel_are_no_part_of_a_fingerprint() -> None:
    words = "quiet BOOT_IMAGE=a zapbench_pad=xxx hugepagesz=2M hugepages=17"
    left = of_context(context(cmdline=words))
    assert differences(left, of_context(context(cmdline="quiet BOOT_IMAGE=b"))) == []
    slow = of_context(context(cmdline="quiet", cpu="slow"))
    assert differences(left, slow) == ["CPU (none / slow)"]


def test_boot_words_in_a_kernel_s_name_are_part_of_the_kernel() -> None:
    plain = of_context(context(cmdline="quiet"))
    run = synthetic.run_of(0, "6.12?boot=nosmt,x=1%2C2")
    named = of_context(context(cmdline="quiet nosmt x=1,2", run=run))
    assert differences(plain, named) == []
    assert differences(plain, of_context(context(cmdline="quiet nosmt"))) != []


def test_what_a_record_does_not_say_equals_anything() -> None:
    new = synthetic.context(synthetic.run_of(0, tier="icount"), unit="instructions")
    older = changed(new, **OLD, thp={})
    assert differences(of_context(older), of_context(new)) == []
    assert unknown(older) == [
        "when its boots began",
        "samples",
        "QEMU and memory",
        "mTHP state",
    ]
    assert unknown(new) == []
    assert "QEMU and memory" not in unknown(context(**OLD))  # natively there is none


def test_what_was_asked_for_may_be_among_the_arguments() -> None:
    words = ("zapbench-guest", "--samples", "11", "--max-seconds", "2.0")
    old = context(**OLD | {"argv": words})
    assert "samples" not in unknown(old)
    assert differences(of_context(old), of_context(context(max_seconds=2))) == []
    assert differences(of_context(old), of_context(context(samples=12, max_seconds=3.0))) == [
        "samples (11 / 12)",
        "seconds a case (2 / 3)",
    ]
    assert (
        unknown(context(**OLD | {"argv": ("zapbench-guest", "--samples", "many")}))[1] == "samples"
    )


def test_what_one_boot_does_not_say_another_of_the_result_may() -> None:
    odd = [context(**OLD), context(samples=5), context(**OLD), context(samples=6)]
    assert common(odd) == ({**of_context(odd[0]), **of_context(odd[1])}, ["samples (5 / 6)"])


def test_kernels_may_leave_a_little_more_or_less_of_the_same_memory() -> None:
    whole = of_context(context(mem_total=24_105 << 20))
    assert differences(whole, of_context(context(mem_total=23_000 << 20))) == []
    assert differences(of_context(context(mem_total=22_000 << 20)), whole) == [
        "MemTotal (22000 MiB / 24105 MiB)"
    ]


def test_a_calibration_outlasts_what_a_run_chooses() -> None:
    """Its cases, too: those that need mTHP turn it on while they are measured."""
    thp = {"enabled": "madvise", "shmem_enabled": "never", "hugepages-64kB/shmem_enabled": "never"}
    kept = lasting(of_context(context(thp=thp)))
    chosen = {"shmem_enabled": "advise", "hugepages-64kB/shmem_enabled": "advise"}
    other = context(thp=thp | chosen, seed=9, samples=3, max_seconds=1.0)
    assert differences(kept, of_context(other)) == []
    always = context(thp=thp | {"enabled": "always"})
    assert differences(kept, of_context(always)) == ["THP enabled (madvise / always)"]


def test_counted_figures_do_not_depend_on_the_machine_below(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("model name\t: One\nmicrocode\t: 0x1\n")
    (tmp_path / "proc/cmdline").write_text("quiet BOOT_IMAGE=x\n")
    machine = Machine(root=tmp_path)
    assert of_machine("native", machine) == {
        "CPU": "One",
        "microcode": "0x1",
        "governor": "none",
        "host command line": "quiet",
    }
