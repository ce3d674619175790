# SPDX-License-Identifier: GPL-2.0-only
"""One row for each thing: what is planted into the C tables is known everywhere.

Into a copy of the core go a backing, a promise, a word of an axis and a workload, each in the
files that CONTRIBUTING.md names.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from core import CBENCH, sources
from limits import seconds

from zapbench.case import Case, axes, methods, workloads
from zapbench.case.tables import Axis, Workload

SHMEM = ("shmem", 4096, 65536)

BACKING = """\t{ .name = "planted_backing",
\t  .summary = "as shmem",
\t  SHMEM,
\t  .open = open_shmem },
"""
PROMISE = """static int keeps_planted(struct region *r, struct reason *note)
{
\tbecause(note, "planted");
\treturn 1;
}

"""
WORKLOAD = """#include "timing.h"
#include "workload.h"

static const char *excluded(const struct zap_case *c)
{
\treturn c->backing->hugetlb ? "planted reason" : NULL;
}

static int run(struct region *r, struct timing *t)
{
\tint err = 0;

\tt->ops = r->nr_ops;
\twhile (!err && timing_more(t))
\t\terr = series_add(&t->total, r->c->check == CHECK_PLANTED ? 7 : 3);
\treturn err;
}

const struct zapbench_workload workload_planted = {
\t.name = "planted",
\t.summary = "a constant",
\t.timed = true,
\t.excluded = excluded,
\t.run = run,
};
"""
PLANTS = (
    ("backing.c", '\t{ .name = "file",', BACKING),
    ("promise.h", "\tNR_PROMISES\n", "\tKEEPS_PLANTED,\n"),
    ("promise.c", "const struct zapbench_promise zapbench_promises[] = {\n", PROMISE),
    (
        "promise.c",
        "};\nconst unsigned int zapbench_nr_promises",
        '\t[KEEPS_PLANTED] = { "planted", "is kept", "loses it", .check = keeps_planted },\n',
    ),
    ("case.h", "\tCHECK_SURPLUS\n", "\tCHECK_PLANTED,\n"),
    ("axis.c", '[CHECK_LOOP] = "loop"', '[CHECK_PLANTED] = "planted",\n'),
    ("axis.c", "&workload_empty, &workload_minor_fault }", "&workload_planted,\n"),
    ("workload.h", "\tROW(empty)", "\tROW(planted) \\\n"),
)
"""A file, what is there, and what is put before it."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("rows") / "cbench"
    shutil.copytree(CBENCH, directory)
    for name, place, text in PLANTS:
        file = directory / name
        found = file.read_text(encoding="utf-8")
        assert found.count(place) == 1, (name, place)
        file.write_text(found.replace(place, text + place), encoding="utf-8")
    (directory / "workload/planted.c").write_text(WORKLOAD, encoding="utf-8")
    flags = ["-std=gnu11", "-O0", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"]
    flags += ["-D_GNU_SOURCE", '-DZAPBENCH_VERSION="planted"', "-pthread", f"-I{directory}"]
    binary = directory.parent / "zapbench-guest"
    subprocess.run(["cc", *flags, "-o", binary, *sources(directory)], check=True)
    return binary


def records(program: Path, *cases: str) -> dict[str, dict[str, Any]]:
    """The records of cases, by their name."""
    command = [str(program), "--samples", "2", "--max-seconds", "0.01", *cases]
    done = subprocess.run(command, capture_output=True, check=False, timeout=seconds(60))
    found = map(json.loads, done.stdout.splitlines())
    return {record["case"]: record for record in found if "case" in record}


def test_a_planted_workload_takes_a_planted_word(program: Path) -> None:
    plain, planted = "planted/-/shmem/4k/4k", "planted/-/shmem/4k/4k/check=planted"
    refused, foreign = "planted/-/hugetlb/2m/2m", "planted/-/shmem/4k/4k/by=copy"
    found = records(program, plain, planted, refused, foreign)
    assert found[plain]["values"] == [3, 3]
    assert found[planted]["values"] == [7, 7]
    assert found[planted]["axes"] == {"check": "planted"}
    assert found[refused]["reason"] == "planted reason"
    assert found[foreign]["reason"] == "by= belongs to the workload continue"


@pytest.mark.usefixtures("userfaultfd")
def test_a_planted_promise_is_checked_on_a_planted_backing(program: Path) -> None:
    contract = records(program, "contract/dontneed/planted_backing/4k/64k")
    (record,) = contract.values()
    if record["kind"] == "skip":
        pytest.skip(record["reason"])
    assert record["event"] == "minor"
    assert record["promises"]["planted"] == {"promised": False, "held": True, "note": "planted"}


@pytest.mark.parametrize("workload", workloads().values(), ids=lambda row: row.name)
@pytest.mark.parametrize("axis", axes().values(), ids=lambda row: row.name)
def test_an_axis_is_foreign_to_those_that_do_not_take_it(axis: Axis, workload: Workload) -> None:
    method = next(iter(methods())) if workload.uses_method else "-"
    reasons = [
        Case(workload.name, method, *SHMEM, ((axis.name, value.replace("N", "2")),)).excluded or ""
        for value in axis.values
    ]
    foreign = [f"{axis.name}= belongs to " in reason for reason in reasons]
    assert foreign == [workload.name not in axis.workloads] * len(axis.values)
