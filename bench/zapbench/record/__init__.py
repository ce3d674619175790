# SPDX-License-Identifier: GPL-2.0-only
"""Record lines: the one format that measurements leave the C program in, version 1.

A *stream* is what one boot (natively: one process) writes: a ``context`` record, then
``samples``, ``contract``, ``skip`` and ``error`` records in any order, then ``end``.  A record
file is a concatenation of streams, as JSON lines, compressed once they are complete.  Records
are the truth; every other file that zapbench writes is derived from them and can be made again.
"""

from zapbench.record.file import (
    FLUSH_BYTES,
    FLUSH_SECONDS,
    Writer,
    is_there,
    load,
    only_writer,
    plain,
)
from zapbench.record.kinds import (
    VERSION,
    CaseTotal,
    Context,
    Contract,
    End,
    Error,
    Faults,
    Histogram,
    HugePool,
    Hypervisor,
    Promise,
    Record,
    Run,
    Samples,
    Seen,
    Skip,
    Uname,
    Unit,
    Userfaultfd,
    json_schema,
)
from zapbench.record.stream import (
    Recording,
    collect,
    decode,
    encode,
    failures,
    finished,
    parse,
    published,
)

__all__ = [
    "FLUSH_BYTES",
    "FLUSH_SECONDS",
    "VERSION",
    "CaseTotal",
    "Context",
    "Contract",
    "End",
    "Error",
    "Faults",
    "Histogram",
    "HugePool",
    "Hypervisor",
    "Promise",
    "Record",
    "Recording",
    "Run",
    "Samples",
    "Seen",
    "Skip",
    "Uname",
    "Unit",
    "Userfaultfd",
    "Writer",
    "collect",
    "decode",
    "encode",
    "failures",
    "finished",
    "is_there",
    "json_schema",
    "load",
    "only_writer",
    "parse",
    "plain",
    "published",
]
