# SPDX-License-Identifier: GPL-2.0-only
"""Advice is followed as it is printed, and comes to what it promised."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

import click
import pytest
from gate_boots import (
    QUIET,
    RELATIVE,
    SIX,
    Gate,
    Machines,
    MakeResult,
    live,
    slower,
    verdicts,
)

from zapbench.cli import run as run_command
from zapbench.result.request import Asked, keep

NOISY = (10_100, 10_500, 10_300)
"""3 % above 10,000, with a deviation of 2 %: of a limit of 2 %, three boots say nothing."""


def advice(done_out: str, because: str) -> str:
    """The command of the first check that is open for a reason."""
    checks = json.loads(done_out)["checks"]
    text: str = next(check["next"] for check in checks if check["because"] == because)
    return text[text.index("zapbench ") :]


class Follower:
    """Runs what is printed: a gate as it is, a run by making up as many boots as it asks for."""

    def __init__(self, gate: Gate, result: MakeResult, boots: dict[str, Sequence[float]]) -> None:
        self._gate, self._result, self._boots = gate, result, boots

    def follow(self, line: str) -> dict[tuple[str, str], str]:
        for command in line.split(" && "):
            words = shlex.split(command)
            assert words[0] == "zapbench"
            if words[1] == "run":
                self._measure(words[2:])
            else:
                assert words[1:3] == ["gate", "--budgets"]
                found = verdicts(self._gate(*words[4:], "--format", "json"))
        return found

    def _measure(self, words: list[str]) -> None:
        asked = run_command.command.make_context("run", words).params
        place = Path(asked["directory"])
        assert not place.exists()
        factor = self._boots[asked["kernel"]]
        figures = [factor[boot % len(factor)] for boot in range(asked["boots"])]
        self._result(place.name, figures, asked["kernel"], seed=asked["seed"])


def test_more_boots_decide_where_that_is_said(gate: Gate, result: MakeResult) -> None:
    result("base", (10_000,) * 3)
    result("head", NOISY)
    done = gate("base", "head", "--format", "json")
    assert verdicts(done)[RELATIVE] == "OPEN"
    follower = Follower(gate, result, {"base": (10_000,), "head": NOISY})
    assert follower.follow(advice(done.out, "OPEN"))[RELATIVE] == "EXCEEDED"


def test_fresh_boots_confirm_where_that_is_said(gate: Gate, result: MakeResult) -> None:
    result("base", QUIET)
    result("head", slower(QUIET, 1.1))
    done = gate("base", "head", "--format", "json")
    assert verdicts(done)[RELATIVE] == "UNCONFIRMED"
    follower = Follower(gate, result, {"base": QUIET, "head": slower(QUIET, 1.1)})
    assert follower.follow(advice(done.out, "UNCONFIRMED"))[RELATIVE] == "EXCEEDED"


def test_what_reproduces_a_judgement_does(gate: Gate, result: MakeResult) -> None:
    result("base", SIX)
    result("head", slower(SIX, 1.1))
    done = gate("base", "head", "--format", "json")
    follower = Follower(gate, result, {"base": SIX, "head": slower(SIX, 1.1)})
    line = " && ".join(json.loads(done.out)["reproduce"])
    assert follower.follow(line) == verdicts(done)


def test_each_time_another_directory_is_named(gate: Gate, result: MakeResult) -> None:
    for name in ("base", "head", "base-2", "head-3"):
        result(name, QUIET, name[:4])
    reproduce = json.loads(gate("base", "head", "--format", "json").out)["reproduce"]
    assert [shlex.split(line)[-1] for line in reproduce[:2]] == ["base-3", "head-2"]


def test_a_gate_that_measures_is_told_a_number_of_boots(gate: Gate, machines: Machines) -> None:
    machines(lambda case, boot: 10_000, lambda case, boot: NOISY[boot % 3])
    done = live(gate, "--format", "json")
    assert verdicts(done)[RELATIVE] == "OPEN"
    words = shlex.split(advice(done.out, "OPEN"))
    assert words[:3] == ["zapbench", "gate", "--budgets"]
    again = gate(*words[4:], "--format", "json")
    assert verdicts(again)[RELATIVE] == "EXCEEDED"
    same = shlex.split(json.loads(again.out)["reproduce"][0])
    assert same == words


def test_a_name_that_begins_with_a_dash_is_no_option(gate: Gate, result: MakeResult) -> None:
    result("-b", QUIET, "base")
    result("-h", slower(QUIET, 1.1), "head")
    done = gate("--format", "json", "--", "-b", "-h")
    follower = Follower(gate, result, {"base": QUIET, "head": slower(QUIET, 1.1)})
    assert follower.follow(advice(done.out, "UNCONFIRMED"))[RELATIVE] == "EXCEEDED"


def test_as_many_boots_are_advised_as_were_asked_for(gate: Gate, result: MakeResult) -> None:
    for name in ("base", "head"):
        keep(result(name, QUIET[:2], name), "run", Asked(boots=5))
    for line in json.loads(gate("base", "head", "--format", "json").out)["reproduce"][:2]:
        assert "--boots 5 " in line


@pytest.mark.parametrize("name", ["a b", "-o", "x;y"])
def test_names_are_quoted(gate: Gate, result: MakeResult, name: str) -> None:
    base, head = result(f"base {name}", QUIET, "6.12"), result(f"head {name}", QUIET, "6.13")
    for line in json.loads(gate(base, head, "--format", "json").out)["reproduce"]:
        words = shlex.split(line)
        assert words[0] == "zapbench"
        assert any(name in word for word in words)
    with pytest.raises(click.UsageError):  # it is the command's own parser that is asked above
        run_command.command.make_context("run", ["--no-such"])


@pytest.mark.parametrize(
    ("base", "head", "command"),
    [
        (
            "6.12",
            "6.12+madv-zap",
            "zapbench kernel history -o .asv/linux --kernels '6.12.*' && "
            "zapbench kernel bisect 6.12 6.12+madv-zap ",
        ),
        (
            "6.12.107",
            "6.12+madv-zap",
            "zapbench kernel history -o .asv/linux --kernels '6.12.*' && "
            "zapbench kernel bisect v6.12.107 v6.12.117+madv-zap ",
        ),
        ("6.12.107", "git:/src/linux@topic", "zapbench kernel bisect v6.12.107 topic "),
        ("git:/a@x", "git:/b@y", "git bisect run sh -c 'zapbench gate --bisect --budgets /"),
        ("6.12?boot=nosmt", "6.12", "--base '\"'\"'6.12?boot=nosmt'\"'\"' --accel icount"),
    ],
)
def test_a_failure_names_what_finds_its_commit(
    gate: Gate, result: MakeResult, base: str, head: str, command: str
) -> None:
    sides = result("one", SIX, base), result("two", slower(SIX, 1.1), head)
    checks = json.loads(gate(*sides, "--json").out)["checks"]
    (failed,) = (each for each in checks if (each["case"], each["limit"]) == RELATIVE)
    assert failed["because"] == "EXCEEDED"
    assert command in failed["next"]


def test_a_directory_of_few_samples_is_measured_again_with_few(
    gate: Gate, result: MakeResult
) -> None:
    """A gate that measures takes as many as `run --quick` does."""
    done = gate(result("base", SIX), result("head", SIX), "--format", "mail")
    assert done.out.replace("\\\n", "").count("--quick") == 2
