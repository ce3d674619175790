# SPDX-License-Identifier: GPL-2.0-only
"""Colours, and what every chart says about the way its figures were had.

The colours are those of M. Okabe and K. Ito, "Color Universal Design" (2008): told apart with
any kind of colour vision.
"""

BLUE = "#0072B2"
GREY = "#555555"
SKY = "#56B4E9"
VERMILION = "#D55E00"

TIER_NOTES = {
    "native": "timed on the machine itself",
    "kvm": "timed in a virtual machine (KVM), not on bare metal",
    "tcg": "timed in an emulated machine: for screening only, no real time",
    "icount": "counted in a virtual machine, where caches, TLB misses, IPIs and locks are free",
}
