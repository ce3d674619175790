# SPDX-License-Identifier: GPL-2.0-only
"""Along which of their own axes `minor_fault` and `continue` are swept, as data."""

from typing import NamedTuple

CONTINUE = "continue"
MINOR_FAULT = "minor_fault"
BY = ("", "by=populate", "by=populate-single")  # what `continue` is set against everywhere


class Depth(NamedTuple):
    """Rows of the grid of one workload: one place, and the further axes, slashes between them.

    ``methods`` None: all of them; none at all where the workload has no method.
    """

    workload: str
    place: str
    methods: tuple[str, ...] | None = ()
    axes: tuple[str, ...] = ("",)


_RIVALS = ("madv_zap", "dontneed", "remap", "rwp")
_LARGE = ("shmem/64k/16m", "shmem/2m/64m", "hugetlb/2m/64m")
_PROCESSES = "topology=process"
_SWEEP = (
    "threads=2",
    "threads=4",
    "threads=8",
    "handlers=2",
    "handlers=2/threads=2",
    "handlers=2/threads=4",
    "handlers=2/threads=2/uffd=each",
    "handlers=2/threads=4/uffd=each",
    "delivery=poll",
    "delivery=epoll",
    "delivery=busy",
    "delivery=sigbus",
    "delivery=sigbus/threads=2",
    "delivery=sigbus/threads=4",
    "batch=16/threads=8",
    "access=write",
    "order=random",
    "order=stride",
    "stamps=off",
    _PROCESSES,
    f"threads=2/{_PROCESSES}",
    f"threads=4/{_PROCESSES}",
    f"delivery=busy/{_PROCESSES}",
)
_WAYS = (
    *BY,
    "by=populate-write",
    "by=copy",
    "step=page",
    "step=2m",
    "wp=on",
    "wake=off",
    "threads=2",
    "by=populate/threads=2",
)
QUICK_DEPTH = (
    Depth(MINOR_FAULT, "shmem/4k/16m", None),
    Depth(MINOR_FAULT, "shmem/4k/16m", ("dontneed",), _SWEEP),
    *(Depth(MINOR_FAULT, place, _RIVALS) for place in _LARGE),
    *(Depth(MINOR_FAULT, place, ("dontneed",), (_PROCESSES,)) for place in _LARGE),
    *(Depth(CONTINUE, place, axes=_WAYS) for place in ("shmem/4k/16m", "hugetlb/2m/64m")),
)
FULL_DEPTH = (
    *QUICK_DEPTH,
    *(Depth(MINOR_FAULT, place, None) for place in _LARGE),
    *(Depth(MINOR_FAULT, place, None) for place in ("tmpfs/4k/16m", "shmem-private/4k/16m")),
    Depth(MINOR_FAULT, "hugetlb-private/2m/64m", None),
    Depth(MINOR_FAULT, "hugetlb/1g/1g", _RIVALS, ("", _PROCESSES)),
    Depth(MINOR_FAULT, "hugetlb/2m/64m", ("dontneed",), _SWEEP),
    Depth(
        MINOR_FAULT,
        "shmem/4k/16m",
        ("dontneed",),
        (
            "threads=16",
            "batch=4/threads=8",
            "batch=64/threads=8",
            "handlers=4/threads=4",
            "handlers=4/threads=4/uffd=each",
            f"handlers=2/threads=2/{_PROCESSES}/uffd=each",
        ),
    ),
    *(Depth(CONTINUE, place, axes=_WAYS) for place in ("shmem/64k/16m", "shmem/2m/64m")),
    Depth(CONTINUE, "shmem/4k/1g", axes=_WAYS),
)
