# SPDX-License-Identifier: GPL-2.0-only
"""Apache Otava's answers, line by line; runs in an environment of its own (make bench-gate).

A line in: the series of several cases, base's figures and then the head's, as JSON.  A line out:
of each, whether there is a change point after which the mean is higher, at Otava's defaults.
"""

import json
import sys

from otava.analysis import compute_change_points  # type: ignore[import-not-found]

for line in sys.stdin:
    found = []
    for series in json.loads(line):
        points, _ = compute_change_points(series)
        found.append(any(point.stats.mean_after() > point.stats.mean_before() for point in points))
    print(json.dumps(found), flush=True)  # noqa: T201 - what it is for
