# SPDX-License-Identifier: GPL-2.0-only
"""Results: directories of records, their statistics, and the tables made from them."""
