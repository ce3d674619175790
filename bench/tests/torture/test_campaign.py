# SPDX-License-Identifier: GPL-2.0-only
"""Campaigns whose machine goes down at random points, and is booted into whatever comes."""

import random
import time
from pathlib import Path

import pytest
from limits import seconds
from rebooted import CASE, Computer
from tally import Faults

from zapbench.campaign.journal import load
from zapbench.record import Context, Samples
from zapbench.record import load as load_records
from zapbench.result.store import RECORDS, Results

TURN = ("campaign", "next", "--force", "-o")


def end_somewhere(computer: Computer, campaign: Path, whole: float, rng: random.Random) -> None:
    """Kill a turn at a random moment; what was done before is done."""
    before = load(campaign).done
    with computer.start(*TURN, campaign) as process:
        time.sleep(rng.uniform(0, whole))
        rng.choice((process.kill, process.kill, process.terminate))()
        _, err = process.communicate(timeout=seconds(60))
    assert "Traceback" not in err or "<frozen site>" in err, err
    assert load(campaign).done[: len(before)] == before


def survive(computer: Computer, campaign: Path, whole: float, rng: random.Random) -> None:
    """Bring a campaign to its end past reboots, wrong kernels and kills."""
    kills = 4
    while (due := load(campaign).due) is not None:
        kernel = load(campaign).kernel(due[0])
        if kills and rng.random() < 0.7:
            kills -= 1
            if rng.random() < 0.7:
                computer.boot(rng.choice((kernel, *computer.kernels)))
            end_somewhere(computer, campaign, whole, rng)
            continue
        computer.boot(kernel)
        computer.zapbench(*TURN, campaign)


def look(computer: Computer, campaign: Path, processes: int) -> None:
    """Each boot was measured once, as a whole, and in one boot of the machine."""
    journal = load(campaign)
    assert len({each.boot_id for each in journal.done}) == len(journal.done)
    for boot in journal.done:
        recording = load_records(campaign / boot.side / RECORDS)
        numbers = journal.numbers(boot.number)
        samples = [each.run.boot for each in recording.of(Samples) if each.run.boot in numbers]
        assert sorted(samples) == list(numbers)
        contexts = [each for each in recording.of(Context) if each.run.boot in numbers]
        assert {each.boot_id for each in contexts} == {boot.boot_id}
        assert {each.uname.release for each in contexts} == {journal.kernel(boot.side)}
    for side in ("base", "head"):
        results = Results(campaign / side)
        assert results.recording.truncated is None
        assert results.boots == journal.boots * processes


@pytest.mark.timeout(3600)
def test_a_campaign_outlives_its_machine(computer: Computer, fault: Faults) -> None:
    processes = 8
    row = fault("a campaign over reboots: its machine went down at a random point")
    for number, rng in enumerate(row.tries(quick=2, long=15)):
        name = f"c{number}"
        words = (CASE, "--quick", "--boots", 2, "--processes", processes, "-o", name)
        computer.zapbench("campaign", "start", *computer.kernels, *words)
        with row.attempt():
            survive(computer, computer.place / name, 4.0, rng)
            look(computer, computer.place / name, processes)
    row.survived()
