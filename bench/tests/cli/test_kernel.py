# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench kernel`` as a user meets it, with a toy in the place of a kernel.

Each kind of bad input ends in one line on standard error, and in nothing on standard output.
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import toy_kernel

from zapbench import cli
from zapbench.host import cache
from zapbench.host.packages import install

Require = Callable[[object, str], None]
GOING_ON = re.compile(r"zapbench: (download|unpack|compile)( \d+%)?")


@dataclass
class Outcome:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The only line on standard error but for those that say what goes on."""
        lines = [line for line in self.err.splitlines() if not GOING_ON.fullmatch(line)]
        assert len(lines) == 1, self.err
        assert self.out == ""
        return lines[0]


Command = Callable[..., Outcome]


@pytest.fixture
def kernel(toy: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run ``zapbench kernel`` in this process."""

    def run(*arguments: object) -> Outcome:
        with pytest.raises(SystemExit) as caught:
            cli.main(["kernel", *map(str, arguments)])
        return Outcome(int(str(caught.value.code)), *capsys.readouterr())

    return run


WRONG = """\
--- a/mm/madvise.c
+++ b/mm/madvise.c
@@ -11,4 +11,4 @@
 int second(void)
 {
-\treturn 22;
+\treturn 23;
 }
"""


def test_build_prints_the_image_last_and_says_how_far_it_is(kernel: Command) -> None:
    done = kernel("build", "1.2+zap")
    assert done.status == 0
    image = Path(done.out.strip())
    assert image.name == "bzImage"
    assert image.read_bytes()[510:512] == b"\x55\xaa"
    assert "zapbench: compile" in done.err
    again = kernel("build", "1.2+zap")
    assert (again.out, again.err) == (done.out, "")
    named = kernel("build", "1.2+zap?boot=quiet,x=1")
    assert (named.out, named.err) == (done.out, "")  # boot words change nothing in it


def test_build_as_json(kernel: Command) -> None:
    made = json.loads(kernel("build", "1.2", "--json").out)
    assert made["name"] == "1.2"
    assert made["release"] == "1.2.3"
    assert len(made["build_id"]) == 40
    assert Path(made["paths"][0]).is_file()


def test_list_knows_what_is_built(kernel: Command) -> None:
    assert [entry["images"] for entry in json.loads(kernel("list", "--json").out)] == [[], []]
    kernel("build", "1.2+zap")
    entries = json.loads(kernel("list", "--json").out)
    assert [(entry["name"], entry["patches"], entry["images"]) for entry in entries] == [
        ("1.2", 0, []),
        ("1.2+zap", 1, ["1.2.3"]),
    ]
    table = kernel("list")
    assert table.status == 0
    assert "1.2+zap" in table.out


def test_the_point_release_that_is_named_is_one_that_is_in_the_list(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ZAPBENCH_CACHE", str(tmp_path))
    for place, named in (("", "BASE.NUMBER"), ("linux-source-6.12_6.12.98-1~deb12u1", "6.12.98")):
        (tmp_path / "tree" / place).mkdir(parents=True)
        with pytest.raises(SystemExit):
            cli.main(["kernel", "list"])
        out = capsys.readouterr().out
        assert out.endswith(f"newest point release; {named} is that one\n")


def test_list_forgets_images_of_other_patches(kernel: Command, toy: Path) -> None:
    kernel("build", "1.2+zap")
    patch = toy / "series/1.2/0001-zap.patch"
    patch.write_text(toy_kernel.PATCH.replace("26", "27"))
    assert json.loads(kernel("list", "--json").out)[1]["images"] == []


def test_fetch_prints_the_tree(kernel: Command) -> None:
    done = kernel("fetch", "1.2")
    assert (Path(done.out.strip()) / "Kbuild").is_file()
    assert json.loads(kernel("fetch", "1.2", "--json").out)["source"].startswith("sha256:")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing command. See `zapbench kernel --help`"),
        (["build"], "Missing argument 'NAME|REF'. See `zapbench kernel build --help`"),
        (["build", "9.9"], "unknown kernel '9.9'"),
        (["fetch", "9.9"], "unknown kernel '9.9'"),
        (["build", "9.9?boot=quiet"], "unknown kernel '9.9?boot=quiet'"),
        (["build", "1.2?boot=a b"], "boot words are printable ASCII without spaces"),
        (["boot", "1.2?x=y", "-c", "true"], "comes boot=WORD,WORD and nothing else"),
        (["build", "-x"], "No such option"),
        (["build", "--", "-x"], "unknown kernel '-x'"),
        (["build", "1.2+none"], "no series 'none' for 1.2"),
        (["build", "1.2", "--config", "colour"], "no config 'colour'"),
        (["build", "1.2", "--config", "wrong"], "did not keep CONFIG_NONE=y"),
        (["build", "1.2", "--deb", "--config", "/nowhere"], "cannot read kernel config /nowhere"),
        (["build", f"tar:/nowhere@{'0' * 64}"], "no tarball at /nowhere"),
        (["build", "git:/linux@--upload-pack=x"], "is not a git ref"),
        (["build", "git:/@HEAD"], "/ is not a git repository"),
        (["boot", "1.2", "-c", "true", "--memory", "1"], "256"),
        (["boot", "/etc/hostname", "-c", "true"], "is no kernel image: expected an x86 bzImage"),
        (["boot", "/nowhere/bzImage", "-c", "true"], "cannot read kernel image"),
    ],
)
def test_bad_input_is_one_line(
    kernel: Command, arguments: list[str], words: str, require: Require
) -> None:
    if "boot" in arguments:
        for program in ("qemu-system-x86_64", "busybox"):
            require(shutil.which(program), f"{program} is not installed")
    done = kernel(*arguments)
    assert words in done.line
    assert done.status == (1 if "did not keep" in words else 2)


def test_a_patch_that_does_not_apply_names_its_hunk(kernel: Command, tmp_path: Path) -> None:
    (tmp_path / "wrong.patch").write_text(WRONG)
    done = kernel("build", f"1.2+{tmp_path}/wrong.patch")
    assert "wrong.patch does not apply: hunk 1 of mm/madvise.c" in done.line
    assert done.status == 1


def test_a_compiler_error_is_remembered_until_retried(kernel: Command, toy: Path) -> None:
    patch = toy / "series/1.2/0001-zap.patch"
    patch.write_text(toy_kernel.PATCH.replace("return 26;", "return MADV_ZAP;"))
    assert "error:" in kernel("build", "1.2+zap").line
    assert "remembered from last time: --retry" in kernel("build", "1.2+zap").line
    again = kernel("build", "1.2+zap", "--retry")
    assert "remembered" not in again.line
    assert again.status == 1


def test_trees_that_cannot_be_trusted(kernel: Command, tmp_path: Path) -> None:
    first = toy_kernel.repository(tmp_path / "linux")
    toy_kernel.git(tmp_path, "clone", "-q", "--depth=1", f"file://{tmp_path}/linux", "shallow")
    assert "is a shallow clone without" in kernel("build", f"git:{tmp_path}/shallow@{first}").line
    (tmp_path / "linux/mm/madvise.c").write_text("changed\n")
    assert "has 1 changed files" in kernel("build", f"git:{tmp_path}/linux@HEAD").line


def test_no_room(kernel: Command, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZAPBENCH_CACHE", str(small_disk))
    assert "needs 0.0 GB in" in kernel("build", "1.2").line
    assert list(cache.root().rglob("*.part")) == []


@pytest.mark.parametrize(("program", "package"), [("qemu-system-x86_64", "qemu-system-x86")])
def test_what_a_boot_lacks(
    kernel: Command, monkeypatch: pytest.MonkeyPatch, program: str, package: str
) -> None:
    found = shutil.which
    monkeypatch.setattr(
        shutil, "which", lambda name, path=None: None if name == program else found(name, path=path)
    )
    done = kernel("boot", "1.2", "-c", "true")
    assert f"{program} is not installed: {install(package)}" in done.line
    assert not (cache.root() / "image").exists()  # found out before anything was built


def test_a_shell_without_a_terminal(kernel: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        assert "a shell needs a terminal" in kernel("boot", "1.2").line
    assert not (cache.root() / "image").exists()
