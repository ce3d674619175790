# SPDX-License-Identifier: GPL-2.0-only
"""Reports made of made-up results."""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
import synthetic
from drawn import FIGURES, written
from places import ROOT

from zapbench import cli, report
from zapbench.case import promises
from zapbench.record import Contract, Promise

REPORTS = ROOT / "reports"
EVIL = "6.12<script>alert(1)</script>"
SHMEM = "shmem/4k/4k"


def made(tmp_path: Path, *directories: Path, name: str = "2026-11-22-try") -> Path:
    return report.make(directories, tmp_path / "reports" / name)


def answer(where: Path) -> str:
    page = (where / "index.html").read_text(encoding="utf-8")
    section = re.search(r'<h2 id="answer">.*?</section>', page, re.DOTALL)
    assert section
    return " ".join(re.sub(r"<[^>]*>", " ", section[0]).split())


def contract(
    method: str,
    *,
    lost: Sequence[str] = (),
    untried: Sequence[str] = (),
    nothing: Sequence[str] = (),
    where: str = SHMEM,
    boot: int = 0,
    kernel: str = "synthetic",
) -> Contract:
    """All promises are kept, but for those named."""
    seen = {name: Promise(False, name not in lost, "") for name in promises()}
    seen |= {name: Promise(False, None, "") for name in untried}
    seen |= {name: Promise(False, None, "", impossible=True) for name in nothing}
    run = msgspec.structs.replace(synthetic.run_of(boot), kernel=kernel)
    plain = synthetic.contract(run, f"contract/{method}/{where}")
    return msgspec.structs.replace(plain, promises=seen)


def sample(tmp_path: Path) -> Path:
    """A result directory with contracts, figures and a skip."""
    contracts = [contract("madv_zap"), contract("dontneed", lost=["poison", "no-event"])]
    skip = synthetic.skip(synthetic.run_of(), f"cycle/rwp/{SHMEM}", "no such feature")
    return written(tmp_path / "results", FIGURES, *contracts, skip)


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main([str(argument) for argument in arguments])
    return int(left.value.code or 0)
