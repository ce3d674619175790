# SPDX-License-Identifier: GPL-2.0-only
"""Kernels by name: where they come from, how they are built, and the images in the cache."""
