# SPDX-License-Identifier: GPL-2.0-only
"""Boots whose estimate is known by hand."""

T1 = 12.706204736432095  # 0.975, 1 degree of freedom: any table of Student's t
T2 = 4.302652729749462  # 2 degrees
D = 0.001
REACH = T1 * D  # 0.012706


def pair(effect: float, d: float = D) -> tuple[float, float]:
    """Two boots, 2 d apart around `effect`: the standard error of their mean is d."""
    return effect - d, effect + d
