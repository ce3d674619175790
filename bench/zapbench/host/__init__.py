# SPDX-License-Identifier: GPL-2.0-only
"""This machine: its settings, what it lacks, where things are kept, and programs it runs."""
