# SPDX-License-Identifier: GPL-2.0-only
"""A stream of made-up records."""

import synthetic

CASE = "zap/dontneed/shmem/4k/4k"
RUN = synthetic.run_of()


def a_stream(boot: int = 0, values: tuple[int, ...] = (1, 2, 3)) -> list[bytes]:
    run = synthetic.run_of(boot)
    return synthetic.stream(run, synthetic.samples(run, CASE, values), synthetic.skip(run, "x"))
