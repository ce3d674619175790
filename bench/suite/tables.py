# SPDX-License-Identifier: GPL-2.0-only
"""Benchmarks made from the case tables: a new method or backing needs nothing here."""

from zapbench.asv_kernel import suite

globals().update(suite.benchmarks())
