# SPDX-License-Identifier: GPL-2.0-only
"""Published comparisons: a page, a letter and charts, made from records next to them.

A report is a function of its records: made again from what it holds it has the same bytes.
"""

from zapbench.report.files import check, make
from zapbench.report.sheet import csv_text

__all__ = ["check", "csv_text", "make"]
