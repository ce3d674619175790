# SPDX-License-Identifier: GPL-2.0-only
"""A git history of kernels made from Debian's releases, with series and borrowed commits."""
