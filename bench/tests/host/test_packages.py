# SPDX-License-Identifier: GPL-2.0-only
"""One list of Debian packages: what set-up installs is what the doctor names."""

import shutil
import subprocess
from pathlib import Path

from places import ROOT

from zapbench.host import doctor, packages
from zapbench.host.machine import SBIN


def test_setup_installs_each_package_that_the_doctor_names() -> None:
    installed = {row.package for row in packages.ROWS if "setup" in row.used_by}
    named = {*doctor.BUILD_TOOLS.values(), *doctor.BUILD_HEADERS.values(), "ccache"}
    assert named | {"qemu-system-x86"} <= installed


def test_setup_names_all_of_its_packages_where_there_is_nothing(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    for name in (".ci/packages", "bench/zapbench/host/packages.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("dirname", "grep"):  # what every system has
        (tools / name).symlink_to(str(shutil.which(name)))
    done = subprocess.run(
        [str(shutil.which("bash")), str(tmp_path / ".ci/packages")],
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": str(tools)},
    )
    _, named = done.stderr.split("under their Debian names: ")
    rows = [row for row in packages.ROWS if "setup" in row.used_by]
    wanted = [row.package for row in rows if not shutil.which(row.name, path=SBIN[1:])]
    assert named.split() == wanted
    assert len(wanted) == len(set(wanted)) > 25
    assert done.returncode == 2
