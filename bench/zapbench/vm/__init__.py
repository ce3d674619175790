# SPDX-License-Identifier: GPL-2.0-only
"""Virtual machines: kernels booted in QEMU, with the guest program as their first process."""

from zapbench.vm.machine import Timeouts
from zapbench.vm.target import VmTarget, image_of, named, version

__all__ = ["Timeouts", "VmTarget", "image_of", "named", "version"]
