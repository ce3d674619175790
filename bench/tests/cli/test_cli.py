# SPDX-License-Identifier: GPL-2.0-only
"""The command line: wrong requests."""

from pathlib import Path

import pytest
from command import Command


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "zap/remapp/*"], "no case matches 'zap/remapp/*'"),
        (["run", "zap/remapp/shmem/4k/4k"], "near it: "),
        (["run", "zap/guard/hugetlb/2m/2m"], "no guard regions on hugetlb"),
        (["run", "--boots", "0"], "0 is not in the range"),
        (["run", "--no-such-option"], "No such option"),
        (["run", "--target", "native", "--kernel", "6.12"], "use --target vm"),
        (["run", "--target", "vm"], "needs --kernel"),
        (["list", "qqq*"], "no case matches"),
        (["contract", "zap/*"], "no case matches"),
        (["contract", "contract/punch_hole/anon/4k/4k"], "there is no file to punch"),
        (["nonsense"], "No such command 'nonsense'. See `zapbench --help`"),
        (["compare", "one"], "Missing argument 'HEAD'. See `zapbench compare --help`"),
        (["compare", "1", "2", "3"], "extra argument (3). See `zapbench compare --help`"),
        (["run", "--boots"], "requires an argument. See `zapbench run --help`"),
        (["run", "--bots"], "Did you mean '--boots'? See `zapbench run --help`"),
        (["compare", "absent", "absent"], "does not exist"),
        (["run", "--resume", "-o", "absent/results"], "absent/results does not exist"),
        (["run", "--quick", "--resume", "-o", "."], "holds no records.jsonl.gz"),
        (["survey", "--resume", "-o", "absent"], "absent does not exist"),
        (["repair", "absent"], "does not exist"),
        (["repair", "."], "is no result directory"),
        (["repair", "/etc/passwd"], "is a file: name the result directory"),
        (["run", "--resume", "-o", "/dev/null"], "/dev/null is no directory"),
        (["run", "--seed", "99999999999999999999"], "is not in the range"),
    ],
)
def test_a_wrong_request_is_one_line_and_status_2(
    zapbench: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = zapbench(*arguments)
    assert said in done.line
    assert done.status == 2
    assert not list(tmp_path.glob("**/*.gz"))
