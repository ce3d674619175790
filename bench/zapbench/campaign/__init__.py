# SPDX-License-Identifier: GPL-2.0-only
"""Two installed kernels, measured by turns over reboots of the machine.

Two kernels natively are one boot each, and processes within a boot do not replicate it: what one
boot happens to be like (where memory lies, which CPU is how warm) would be taken for what the
kernels are like.  A campaign boots both again and again, in the order A B B A A B …, and measures
some processes in each boot.  It is driven from outside: something calls it once after each boot.
"""
