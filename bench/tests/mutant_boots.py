# SPDX-License-Identifier: GPL-2.0-only
"""Boots of mutants: the cases of each, the signs that something is wrong, and the score."""

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import mutate
from limits import seconds
from mutants import ARGUED, END_STATE, REFUSAL, TIMING, ByHand, ByRule, left_out
from places import ROOT

from zapbench.boot import checkable
from zapbench.case import Case, contract_grid
from zapbench.error import LostVm, Truncated
from zapbench.kernel.build import Image
from zapbench.record import Context, Contract, Error, Record, Samples, Seen, Skip, parse
from zapbench.target import Job
from zapbench.vm import Timeouts, VmTarget

ADDRESS = re.compile(r",? (?:for )?address|:? CPU: |!? at |:\d+!| mm:| for \d")
"""Begins what differs from build to build in what a kernel says of its end."""
TABLE = ROOT / "kernel" / "mutants.md"

CONTRACTS = tuple(
    str(cell.case) for cell in checkable(contract_grid()) if cell.case.method == "madv_zap"
)
PLACES = ("shmem/4k/64k", "shmem/4k/2m", "shmem/2m/2m", "hugetlb/2m/2m", "shmem-private/4k/64k")
TIMED = tuple(f"{workload}/madv_zap/{place}" for workload in ("zap", "cycle") for place in PLACES)
LOST = {
    "shmem-private/4k": {
        *("cow", "swap", "zeropage", "poison", "no-event", "remote", "no-mixed"),
    },
    "hugetlb/2m": {"poison", "no-event", "remote", "no-part", "no-mixed"},
}
"""What MADV_DONTNEED loses: what MADV_ZAP keeps is to change nothing for other zaps."""
ABSENT, DONTNEED = "not available", "`dontneed`"
OTHERS = tuple(f"contract/dontneed/{mapped}/{mapped.rpartition('/')[2]}" for mapped in LOST)
CASES = CONTRACTS + OTHERS + TIMED


@dataclass(slots=True)
class Outcome:
    """A boot: its records, why it was lost if it was, and each sign that something is wrong."""

    records: list[Record] = field(default_factory=list)
    lost: str = ""
    signs: dict[str, None] = field(default_factory=dict)

    def errors(self, case: str) -> list[str]:
        """What the errors of a case say."""
        return [r.reason for r in self.records if isinstance(r, Error) and r.case == case]

    def samples(self) -> set[str]:
        """The cases that got a figure."""
        return {record.case for record in self.records if isinstance(record, Samples)}


def boot(image: Image, word: str, cases: Sequence[str], *, until_caught: bool = False) -> Outcome:
    """Check the contracts of the cases and time them while one mutant is alive."""
    patience = Timeouts(seconds(60), seconds(30))
    kernel = f"{image.bzimage}?boot=mutant={word}"
    vm = VmTarget(kernel, "icount", perturb=False, timeouts=patience)
    outcome = Outcome()
    broken: set[tuple[str, int]] = set()
    try:
        lines = vm.run(Job(tuple(cases), "mutant", vm.tier, samples=5))
        assert isinstance(lines, Generator)
        with closing(lines):  # which ends the machine
            for record in parse(lines, word):
                outcome.records.append(record)
                outcome.signs |= dict.fromkeys(_signs(record, broken))
                if until_caught and outcome.signs:
                    break
    except (LostVm, Truncated) as error:
        outcome.lost = _why(str(error))
        begun = any(isinstance(record, Context) for record in outcome.records)
        outcome.signs[outcome.lost if begun else f"does not boot: {outcome.lost}"] = None
    return outcome


def _signs(record: Record, broken: set[tuple[str, int]]) -> Iterator[str]:
    """What a record says is wrong; ``broken`` are the contracts known as such, by what is mapped.

    An error of a case whose contract is broken says nothing new.
    """
    if isinstance(record, Contract) and record.method != "madv_zap":
        lost = {name for name, promise in record.promises.items() if promise.held is False}
        expected = LOST["/".join(record.case.split("/")[2:4])]
        yield from (f"{DONTNEED} keeps `{name}`" for name in sorted(expected - lost))
        yield from (f"{DONTNEED} loses `{name}`" for name in sorted(lost - expected))
    elif isinstance(record, Contract) and record.why:
        broken.add((record.backing, record.page_size))
        promises = [
            f"`{name}`" for name, each in record.promises.items() if each.seen is Seen.BROKEN
        ]
        yield from promises
        if not record.why.startswith("promise "):
            yield END_STATE
    elif isinstance(record, Error):
        case = Case.parse(record.case)
        if case.method != "madv_zap":
            yield f"{DONTNEED} fails"
        elif case.refused:
            yield REFUSAL
        elif (case.backing, case.page_size) not in broken:
            yield TIMING
    elif isinstance(record, Skip) and not Case.parse(record.case).refused:
        yield ABSENT


def _why(error: str) -> str:
    """The end of a machine in a few words, without addresses."""
    said, _, _ = error.removeprefix("virtual machine lost: ").partition(" (console: ")
    return ADDRESS.split(said)[0]


INTRODUCTION = """\
<!-- SPDX-License-Identifier: GPL-2.0-only -->
# Mutants

Made by `make mutants` on {day}, Linux {release}: of {all} ways to break MADV_ZAP
**{caught} are caught**, {survived} survive, and of {argued} it is argued that nothing can tell.

{score}

`N, M alone`: N of them showed a sign of that kind, and M of these N no sign of any other kind.

Each is booted once under icount: the contract on all that the tables allow or say that the kernel
refuses, two contracts of MADV_DONTNEED, and ten timed cases. What caught it: a promise by its name;
the *end state*, accesses that must trap and a look at every page; *while timed*, the same look
after every drop; a *refusal* that was none; the method *not available*; what MADV_DONTNEED, which
is to be as it was, keeps or loses; or the *end of the machine*.

What no check sees, so that no mutant here is of it: whether MMU notifiers are called, and a
hwpoison entry that is lost on hugetlb, where the page itself still raises the signal.

## By hand

Those of `bench/tests/kernel-patches/6.12/mutants.patch`.

"""
HEADS = ("| mutant | what is wrong | caught by |", "| --- | --- | --- |")
BY_RULES = """\

## By rule

Made of the lines that the series adds by `bench/tests/mutate.py`: each condition inverted, as a
whole and by operand; each statement left out; each value that something is initialised with 0. All
build. There is none of {missing} lines, where nothing can be chosen at boot: {listed}.

"""


Rows = Sequence[tuple[ByHand | ByRule, Outcome]]


def table(release: str, day: str, outcomes: Rows) -> str:
    """The score as Markdown."""
    mine: Rows = [(each, seen) for each, seen in outcomes if isinstance(each, ByHand)]
    made: Rows = [(each, seen) for each, seen in outcomes if isinstance(each, ByRule)]
    argued = [each for each, seen in made if not seen.signs and each.name in ARGUED]
    survived = [each for each, seen in outcomes if not seen.signs and each not in argued]
    missing = left_out()
    caught = len(outcomes) - len(argued) - len(survived)
    lines = [
        *INTRODUCTION.format(
            day=day,
            release=release,
            all=len(outcomes),
            caught=caught,
            survived=len(survived),
            argued=len(argued),
            score=_score({"by hand": mine, "by rule": made}),
        ).splitlines(),
        *HEADS,
        *(f"{head(each)} | {_caught(seen, each.name)} |" for each, seen in mine),
        *BY_RULES.format(missing=len(missing), listed=_listed(missing)).splitlines(),
        *HEADS,
        *(f"{head(each)} | {_caught(seen, each.name)} |" for each, seen in made),
    ]
    return "\n".join(lines) + "\n"


COLUMNS: Mapping[str, Callable[[str], bool]] = {
    "a promise": lambda sign: sign.startswith("`") and not sign.startswith(DONTNEED),
    END_STATE: lambda sign: sign == END_STATE,
    TIMING: lambda sign: sign == TIMING,
    REFUSAL: lambda sign: sign == REFUSAL,
    ABSENT: lambda sign: sign == ABSENT,
    "MADV_DONTNEED": lambda sign: sign.startswith(DONTNEED),
}
"""What may catch a mutant, by its sign; any other is how the machine ended."""
MACHINE, SURVIVED = "end of the machine", "**survived**"


def _column(sign: str) -> str:
    return next((name for name, is_it in COLUMNS.items() if is_it(sign)), MACHINE)


def _score(kinds: Mapping[str, Rows]) -> str:
    """How many mutants showed which kinds of signs, and how many no other kind."""
    columns = [*COLUMNS, MACHINE]
    lines = [f"| caught by | {' | '.join(columns)} |", "| --- " * (len(columns) + 1) + "|"]
    for kind, rows in kinds.items():
        seen = [{_column(sign) for sign in outcome.signs} for _, outcome in rows]
        counts = [
            f"{sum(name in each for each in seen)}, {sum({name} == each for each in seen)} alone"
            for name in columns
        ]
        lines.append(f"| {len(rows)} {kind} | {' | '.join(counts)} |")
    return "\n".join(lines)


def head(each: ByHand | ByRule) -> str:
    """The row of a mutant in the table, without what caught it."""
    if isinstance(each, ByHand):
        return f"| `{each.name}` | {each.what}"
    mutant = each.mutant
    return f"| {each.word}, {mutant.file}:{mutant.line} | `{_cell(mutant.text)}` {mutant.change}"


def known() -> dict[str, str]:
    """The rows of the table that is there: what caught a mutant, by its `head`."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    rows = (line.removesuffix(" |").rpartition(" | ") for line in lines if line.startswith("| "))
    return {row: caught for row, _, caught in rows}


def _listed(missing: Iterable[mutate.LeftOut]) -> str:
    return ", ".join(f"`{each.text}` ({each.file}:{each.line})" for each in missing)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _caught(seen: Outcome, name: str) -> str:
    if seen.signs:
        return ", ".join(_cell(sign) for sign in seen.signs)
    return f"nothing: {ARGUED[name]}" if name in ARGUED else SURVIVED
