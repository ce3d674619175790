# SPDX-License-Identifier: GPL-2.0-only
"""Along which of their own axes `minor_fault` and `continue` are measured, as data."""

from typing import NamedTuple

from zapbench.case.views import CONTINUE, MINOR_FAULT, view


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
# A fault that wakes an idle CPU may cost fifty times one that does not, and a case is four passes
# at least: more pages than these would take seconds.
_SMALL = "shmem/4k/4m"
_PROCESSES = "topology=process"
_SAME = "place=same"
_APART = "place=apart"
_SWEEP = (
    "threads=2",
    "threads=4",
    "handlers=2/threads=2",
    "delivery=poll",
    "delivery=epoll",
    "delivery=busy",
    "delivery=sigbus",
    "batch=16/threads=8",
    "access=write",
    "order=random",
    "order=stride",
    "stamps=off",
    _PROCESSES,
    f"delivery=busy/{_PROCESSES}",
)
# What scales is measured where it is known which threads share a CPU.
_SCALING = (
    "",
    "threads=2",
    "threads=4",
    "handlers=2/threads=2",
    "handlers=2/threads=4",
    "handlers=4/threads=4",
    _PROCESSES,
    f"threads=2/{_PROCESSES}",
    "delivery=sigbus/threads=2",
    "delivery=sigbus/threads=4",
)
_PINNED = (
    *(f"{place}/{axes}".rstrip("/") for place in (_SAME, _APART) for axes in _SCALING),
    f"delivery=sigbus/{_SAME}",
    f"handlers=2/threads=2/uffd=each/{_APART}",
    f"delivery=busy/{_APART}",
)
_UNPINNED = (
    "threads=8",
    "handlers=2",
    "handlers=2/threads=4",
    "handlers=2/threads=2/uffd=each",
    "handlers=2/threads=4/uffd=each",
    "delivery=sigbus/threads=2",
    "delivery=sigbus/threads=4",
    f"threads=2/{_PROCESSES}",
    f"threads=4/{_PROCESSES}",
)
_WAYS = (
    *view(CONTINUE).ways,
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
    Depth(MINOR_FAULT, _SMALL, None),
    Depth(MINOR_FAULT, _SMALL, ("dontneed",), (*_SWEEP, *_PINNED)),
    *(Depth(MINOR_FAULT, place, _RIVALS) for place in _LARGE),
    *(Depth(MINOR_FAULT, place, ("dontneed",), (_PROCESSES,)) for place in _LARGE),
    Depth(MINOR_FAULT, "hugetlb/2m/64m", ("dontneed",), (_SAME, _APART)),
    *(Depth(CONTINUE, place, axes=_WAYS) for place in ("shmem/4k/16m", "hugetlb/2m/64m")),
)
FULL_DEPTH = (
    *QUICK_DEPTH,
    *(Depth(MINOR_FAULT, place, None) for place in _LARGE),
    *(Depth(MINOR_FAULT, place, None) for place in ("tmpfs/4k/4m", "shmem-private/4k/4m")),
    Depth(MINOR_FAULT, "hugetlb-private/2m/64m", None),
    Depth(MINOR_FAULT, "hugetlb/1g/1g", _RIVALS, ("", _PROCESSES)),
    Depth(MINOR_FAULT, "hugetlb/2m/64m", ("dontneed",), (*_SWEEP, *_UNPINNED)),
    Depth(
        MINOR_FAULT,
        _SMALL,
        ("dontneed",),
        (
            *_UNPINNED,
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
