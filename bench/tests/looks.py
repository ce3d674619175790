# SPDX-License-Identifier: GPL-2.0-only
"""Boots whose estimate is known by hand."""

import math

T2 = 4.302652729749462  # 0.975, 2 degrees of freedom: any table of Student's t
D = 0.001
REACH = T2 * D * math.sqrt(2)  # 0.006085


def pair(effect: float, d: float = D) -> tuple[list[float], list[float]]:
    """Two boots a side, 2 d apart, head above base by `effect`."""
    return [-d, d], [effect - d, effect + d]
