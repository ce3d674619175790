# SPDX-License-Identifier: GPL-2.0-only
"""Plain text for a mailing list."""

from gate_boots import Gate


def test_mail_keeps_to_72_columns_and_its_commands_work(gate: Gate, failing: list[str]) -> None:
    done = gate(*failing, "--format", "mail")
    lines = done.out.splitlines()
    assert max(map(len, lines)) <= 72
    text = done.out.split("To reproduce:\n")[1]
    commands = text.replace("\\\n", "").strip().splitlines()
    assert [line.split()[:2] for line in commands] == [
        ["zapbench", "run"],
        ["zapbench", "run"],
        ["zapbench", "gate"],
    ]
    assert "--kernel base --accel icount --quick --boots 6 --seed 7 -o base" in " ".join(
        commands[0].split()
    )
