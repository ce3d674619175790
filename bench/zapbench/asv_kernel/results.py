# SPDX-License-Identifier: GPL-2.0-only
"""asv's result files from records: of boots that were kept, and of other machines' runs.

They are written by asv's own classes, so they are what asv itself would have written from the
same figures; they can be thrown away and made again.
"""

import ast
import itertools
import math
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asv.benchmarks import Benchmarks
from asv.config import Config
from asv.machine import Machine, MachineCollection
from asv.repo import NoSuchNameError, get_repo
from asv.results import Results
from asv.runner import BenchmarkResult
from asv.util import ProcessError, UserError

from zapbench.asv_kernel import identity, options, suite
from zapbench.asv_kernel.options import Options
from zapbench.case import Case
from zapbench.error import Unsupported, UsageError, ZapbenchError
from zapbench.kept_boots import outcomes
from zapbench.record import Context, Recording, Run, Unit, encode, load, published
from zapbench.result import store

ICOUNT = {
    "machine": "icount",
    "os": "Linux",
    "arch": "x86_64",
    "cpu": "qemu64, instructions counted by TCG",
    "num_cpu": "1",
    "ram": "",
}
"""The machine that counts instructions: the same whatever computer QEMU runs on."""


class Project:
    """An asv.conf.json and what belongs to it.  asv's paths are relative to it: so are ours.

    Raises:
        UsageError: there is none, it is damaged, or its repository is not available.
    """

    def __init__(self, path: Path) -> None:
        try:
            self.conf = Config.load(str(path))
            os.chdir(path.absolute().parent)
            self.options = Options.of(getattr(self.conf, "kernel", {}))
            self.repo = get_repo(self.conf)
        except (UserError, ValueError, OSError) as error:
            raise UsageError(f"{path}: {error}") from error

    def commit(self, name: str) -> str:
        """The hash of a commit.

        Raises:
            UsageError: the repository has no such commit.
        """
        try:
            return str(self.repo.get_hash_from_name(name))
        except (NoSuchNameError, ProcessError) as error:
            raise UsageError(f"{self.conf.repo} has no commit {name!r}") from error

    def benchmarks(self, unit: Unit) -> Any:
        """The benchmarks of the suite, as asv discovers them; they are saved for `asv publish`."""
        if unit not in self.options.units:
            raise UsageError(
                f"figures in {unit} are not drawn: add it to kernel.units of asv.conf.json"
            )
        os.environ.update(self.options.variables)
        made = Benchmarks(self.conf, suite.discover(Path(self.conf.benchmark_dir).resolve()))
        made.save()
        return made


def set_machine(name: str = "", context: Context | None = None) -> str:
    """Make a machine known to asv (``~/.asv-machine.json``); its name.

    Without a context it is the one that counts instructions.
    """
    fields = dict(ICOUNT)
    if context is not None:
        fields = {
            "machine": name,
            "os": context.uname.sysname,  # its release is what is measured, not where
            "arch": context.uname.machine,
            "cpu": context.cpu,
            "num_cpu": str(context.cpus),
            "ram": str(context.mem_total),
        }
    MachineCollection.save(fields["machine"], fields)
    return fields["machine"]


def import_directory(project: Project, directory: Path, commit: str | None, machine: str) -> str:
    """Bring a result directory of `zapbench run` into asv's results; the commit it is of.

    Without ``commit`` the kernel's build id says which one it is, if it was built here.

    Raises:
        UsageError: no such commit, or the records do not tell which.
    """
    results = store.Results(directory)
    context = results.contexts[0]
    if commit is None:
        built = identity.load(project.options.directory)
        known = [each for each, build_id in built.items() if build_id == context.build_id]
        if not known:
            raise UsageError(
                f"{directory} was measured on build {context.build_id}, which is of no commit "
                "that was built here: name it with --commit"
            )
        commit = known[0]
    found = project.commit(commit)
    _save(project, found, results.tier, [results.recording], set_machine(machine, context))
    return found


def rebuild(project: Project) -> Iterator[tuple[str, str, int]]:
    """Make asv's results again from the kept boots; yields commit, accelerator, boots."""
    records = project.options.directory
    for commit, build_id in identity.load(records).items():
        for accel, files in _kept(records, build_id):
            recordings = [load(file) for file in files]
            _save(project, commit, accel, recordings, set_machine())
            yield commit, accel, len(recordings)


def export(project: Project, commit: str, accel: str, directory: Path) -> int:
    """Write the boots of a commit as a result directory; how many there are.

    The kernel is named by the commit's tag, without its ``v``, or the begin of its hash.

    Raises:
        UsageError: there are none, or the directory is not empty.
    """
    found = project.commit(commit)
    name = (project.repo.get_name_from_hash(found) or found[:12]).removeprefix("v")
    records = project.options.directory
    build_id = identity.load(records).get(found)
    kept = dict(_kept(records, build_id)) if build_id else {}
    if accel not in kept:
        raise UsageError(f"no boots of {commit} with {accel} are in {records}: asv run {commit}^!")
    with store.create(directory) as writer:
        for record in itertools.chain.from_iterable(load(file).records for file in kept[accel]):
            # Commits with the same image share their boots: here they are this commit's.
            run = Run(name, record.run.tier, record.run.boot)
            writer.write(encode(published(record, run=run)))
    store.write_suite(store.Results(directory))
    return len(kept[accel])


def _kept(records: Path, build_id: str) -> Iterator[tuple[str, list[Path]]]:
    """The record files of an image by accelerator; of several suites the one written last."""
    for place in sorted(records.glob(f"*/{build_id[:20]}")):
        suites = sorted(place.iterdir(), key=lambda path: path.stat().st_mtime)
        if suites:
            files = suites[-1].glob("boot-*.jsonl.gz")
            yield place.parent.name, sorted(files, key=lambda path: int(path.name[5:-9]))


def _save(
    project: Project, commit: str, accel: str, recordings: Sequence[Recording], machine: str
) -> None:
    known = Machine.load(machine_name=machine)
    known.save(project.conf.results_dir)
    results = Results(
        {**known.__dict__, "python": project.conf.pythons[0]},
        {},
        commit,
        project.repo.get_date(commit),
        project.conf.pythons[0],
        f"kernel-{accel}",
        {options.ACCEL: accel},
    )
    unit = recordings[0].of(Context)[0].unit
    boots = [outcomes(boot) for recording in recordings for boot in _boots(recording)]
    index = suite.index(unit)
    for name, benchmark in project.benchmarks(unit).items():
        members = index.get(name)
        if members is None:  # of the other unit
            continue
        columns = [[ast.literal_eval(text) for text in column] for column in benchmark["params"]]
        cells = [_cell(members.get(key), boots) for key in itertools.product(*columns)]
        answer = BenchmarkResult(
            result=[value for value, _ in cells],
            samples=[samples for _, samples in cells],
            number=[samples and 1 for _, samples in cells],
            errcode=0,
            stderr="",
            profile=None,
        )
        # Not now: made again from the same records, the file is the same.
        results.add_result(
            benchmark, answer, started_at=datetime.fromtimestamp(0, UTC), record_samples=True
        )
    results.save(project.conf.results_dir)


def _boots(recording: Recording) -> list[Recording]:
    """A recording of several boots, boot by boot."""
    boots = defaultdict(list)
    for record in recording.records:
        boots[record.run.boot].append(record)
    return [Recording(recording.source, tuple(boots[boot])) for boot in sorted(boots)]


def _cell(
    case: Case | None, boots: Sequence[Mapping[str, float | ZapbenchError]]
) -> tuple[bool | float | None, list[float] | None]:
    """One parameter combination for asv: its result, and its samples, one a boot.

    With samples asv computes the result (True takes its place); NaN is "n/a", None "failed".
    """
    lack = Unsupported("not measured")
    found = [boot.get(str(case), lack) for boot in boots]
    figures = [outcome for outcome in found if not isinstance(outcome, ZapbenchError)]
    if case is None or all(isinstance(outcome, Unsupported) for outcome in found):
        return math.nan, None
    if len(figures) < len(found):
        return None, None
    return True, figures
