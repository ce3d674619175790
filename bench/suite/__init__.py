# SPDX-License-Identifier: GPL-2.0-only
"""The suite that asv runs over kernel commits; see `zapbench.asv_kernel`."""
