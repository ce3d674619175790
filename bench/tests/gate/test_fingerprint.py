# SPDX-License-Identifier: GPL-2.0-only
"""What makes two machines different."""

from pathlib import Path

import synthetic
from gate_boots import context

from zapbench.gate.fingerprint import differences, of_context, of_machine
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
