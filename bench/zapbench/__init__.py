# SPDX-License-Identifier: GPL-2.0-only
"""Benchmark the ways of dropping page-table entries while keeping the pages."""
