# SPDX-License-Identifier: GPL-2.0-only
"""Which functions of a kernel, and which paths of calls, a counted figure is made of."""
