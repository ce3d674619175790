# SPDX-License-Identifier: GPL-2.0-only
"""asv over kernel commits.  The only user of asv; loaded by it as the plugin of asv.conf.json.

Environment ``kernel`` and repository ``kernelgit``: asv walks, draws, detects steps and
bisects, zapbench builds the image of a commit, boots it and keeps the records.
"""

from zapbench.asv_kernel.environment import KernelEnvironment
from zapbench.asv_kernel.publish import OfflinePages
from zapbench.asv_kernel.repository import KernelGit

__all__ = ["KernelEnvironment", "KernelGit", "OfflinePages"]
