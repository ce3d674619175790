# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench kernel history`` as a user meets it."""

import json
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import toy_archive
from toy_history import DATES, files, log, offer

from zapbench import cli
from zapbench.host.packages import install
from zapbench.kernel.history import releases

pytestmark = pytest.mark.usefixtures("toy_apt")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """The command line's status and what it printed."""
    with pytest.raises(SystemExit) as caught:
        cli.main(["kernel", "history", *arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code, *capsys.readouterr()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / ".asv/history"  # as in README: .asv is not there
    status, out, err = run(capsys, "-o", str(path), "--kernels", "1.2.*,1.10.1")
    assert (status, out) == (0, f"{path}\n")
    assert "3 releases, new: 1.2.3, 1.2.4, 1.10.1; branches 1.10, 1.2, 1.2+zap, releases" in err
    status, out, err = run(capsys, "-o", str(path), "--json")
    told = json.loads(out)
    assert (status, told["new"], told["path"]) == (0, ["1.10.2"], str(path))
    assert [release["name"] for release in told["releases"]] == sorted(DATES, key=releases.order)
    status, out, err = run(capsys, "-o", str(path))
    assert "4 releases, new: none" in err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--from", "git:"), "--from needs git:PATH or git:URL"),
        (("--from", "git:x", "--kernels", "1.*"), "leave it out with --from"),
        (("--from", "git:nowhere"), "no git repository at nowhere"),
        (("--kernels", "8.*"), "no release matches '8.*'"),
    ],
)
def test_a_wrong_request_is_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    reason: str,
) -> None:
    status, out, err = run(capsys, "-o", str(tmp_path / "history"), *arguments)
    assert (status, out) == (2, "")
    assert reason in err
    assert err.count("\n") == 1


def test_a_place_where_no_history_can_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    status, _, err = run(capsys, "-o", str(tmp_path / "file/history"))
    line = f"zapbench: cannot write {tmp_path}/file: File exists; choose another with -o\n"
    assert (status, err) == (2, line)


def test_without_git(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in ("apt-cache", "apt-get", "dpkg-deb", "setpriv"):
        (programs / program).symlink_to(str(shutil.which(program)))
    monkeypatch.setenv("PATH", str(programs))
    status, _, err = run(capsys, "-o", str(tmp_path / "history"))
    assert (status, err) == (2, f"zapbench: git is not installed: {install('git')}\n")


def test_ctrl_c_is_one_line_and_keeps_what_is_finished(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(20_000).hex()
    many = files("1.10.3") | {f"drivers/{n}.c": f"{n}{noise}" for n in range(1500)}
    toy_archive.package(tmp_path / "archive/pool", "linux-source-1.10", "1.10.3-1", many)
    offer(tmp_path / "archive")
    path = tmp_path / "history"
    command = [sys.executable, "-m", "zapbench", "kernel", "history", "-o", str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = iter(process.stderr)
        assert any("1.10.3 (5 of 5): import" in line for line in said)
        process.send_signal(signal.SIGINT)
        rest = list(said)
    assert (process.returncode, rest[-1]) == (130, "zapbench: interrupted\n")
    assert [line[:12] for line in log(path, "1.10", "%s")] == ["Linux 1.10.1", "Linux 1.10.2"]
