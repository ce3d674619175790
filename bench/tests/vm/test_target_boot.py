# SPDX-License-Identifier: GPL-2.0-only
"""A real 6.12 in a real QEMU, with first processes made for the test: good, hostile, dying."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from limits import seconds
from processes import descendants

from zapbench.error import EnvironmentMissing, LostVm
from zapbench.kernel import build, catalogue
from zapbench.kernel.build import Image
from zapbench.vm import Timeouts, VmTarget, shell

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(1800)]
Require = Callable[[object, str], None]

# A first process that does what the word `do=…` in /args says.
INIT = r"""
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>
#include <x86intrin.h>

static int port;
static char args[65536];

static unsigned long long loop(long n)
{
	unsigned long long start;
	unsigned aux;

	start = __rdtscp(&aux);
	__asm__ volatile("1: dec %0; jnz 1b" : "+r"(n));
	return __rdtscp(&aux) - start;
}

int main(void)
{
	int fd;
	char *todo;

	mount("d", "/dev", "devtmpfs", 0, 0);
	fd = open("/args", O_RDONLY);
	if (read(fd, args, sizeof(args) - 1) < 0)
		return 1;
	while ((port = open("/dev/vport0p1", O_WRONLY)) < 0)
		usleep(1000);
	dprintf(port, "{\"v\":1,\"kind\":\"context\"}\n");
	todo = strstr(args, "do=");
	todo = todo ? todo + 3 : "";
	if (!strncmp(todo, "exit", 4))
		return 3;
	if (!strncmp(todo, "hang", 4))
		pause();
	if (!strncmp(todo, "spin", 4))
		for (;;)
			;
	if (!strncmp(todo, "memory", 6))
		for (;;)
			memset(malloc(1 << 20), 1, 1 << 20);
	if (!strncmp(todo, "garbage", 7))
		dprintf(port, "\xff\xfe not a record\n");
	if (!strncmp(todo, "bytes", 5)) {
		static char line[4096];

		memset(line, 'x', sizeof(line));
		memcpy(line, "{\"x\":\"", 6);
		memcpy(line + sizeof(line) - 3, "\"}\n", 3);
		for (int i = 0; i < 2560; i++)
			if (write(port, line, sizeof(line)) != sizeof(line))
				return 4;
	}
	if (!strncmp(todo, "count", 5))
		for (int i = 0; i < 20; i++)
			dprintf(port, "{\"n\":[%llu,%llu,%llu]}\n", loop(1000), loop(2000), loop(50000));
	dprintf(port, "{\"v\":1,\"kind\":\"end\"}\n");
	reboot(RB_AUTOBOOT);
	return 5;
}
"""


@pytest.fixture(scope="session")
def image(require: Require) -> Image:
    """A kernel, built if the cache lacks it; the one that other tests build too."""
    for program in ("qemu-system-x86_64", "gcc", "flex", "bison", "apt-get"):
        require(shutil.which(program), f"{program} is not installed")
    try:
        return build.build(catalogue.parse("6.12+madv-zap"))
    except EnvironmentMissing as error:
        require(False, str(error))
        raise


@pytest.fixture(scope="session")
def init(tmp_path_factory: pytest.TempPathFactory, require: Require) -> Path:
    """The first process, static."""
    directory = tmp_path_factory.mktemp("init")
    (directory / "init.c").write_text(INIT)
    command = ["gcc", "-O2", "-w", "-static", "-o", "init", "init.c"]
    done = subprocess.run(command, cwd=directory, check=False, capture_output=True)
    require(done.returncode == 0, f"no static libc: {done.stderr.decode()[-200:]}")
    return directory / "init"


@pytest.fixture
def boot(image: Image, init: Path) -> Callable[..., Iterator[bytes]]:
    """``boot(accelerator, what)``: the lines of a machine whose first process does that."""

    def make(
        accelerator: str, what: str = "", *, timeouts: Timeouts | None = None, number: int = 0
    ) -> Iterator[bytes]:
        vm = VmTarget(str(image.bzimage), accelerator, guest=init, timeouts=timeouts)
        return vm.lines((), boot=number, seed=1, options=[f"do={what}"])

    return make


@pytest.mark.parametrize("accelerator", ["tcg", "icount"])
def test_a_good_boot(boot: Callable[..., Iterator[bytes]], accelerator: str) -> None:
    assert list(boot(accelerator)) == [
        b'{"v":1,"kind":"context"}\n',
        b'{"v":1,"kind":"end"}\n',
    ]


def test_icount_counts_a_loop_of_known_length_and_repeats(
    boot: Callable[..., Iterator[bytes]],
) -> None:
    lines = list(boot("icount", "count"))
    counts = [tuple(map(int, line[6:-3].split(b","))) for line in lines[1:-1]]
    # Two instructions a turn; what surrounds the loop costs the same each time.  A timer tick
    # may fall into the long loop, so the most frequent count is the loop's.
    usual = max(set(counts), key=counts.count)
    assert usual[1] - usual[0] == 2 * 1000
    assert usual[2] - usual[1] == 2 * 48000
    assert usual[0] - 2 * 1000 < 100
    assert list(boot("icount", "count")) == lines
    assert counts.count(usual) > len(counts) // 2


def test_ten_megabytes_of_records_arrive_whole(boot: Callable[..., Iterator[bytes]]) -> None:
    lines = list(boot("tcg", "bytes"))
    assert len(lines) == 2562
    assert {len(line) for line in lines[1:-1]} == {4096}


@pytest.mark.parametrize(
    ("accelerator", "what", "words"),
    [
        ("tcg", "exit", "kernel panic: Attempted to kill init! exitcode=0x00000300"),
        ("tcg", "memory", "out of memory: "),
        ("tcg", "hang", "hung: it wrote nothing for 3 s"),
        ("icount", "spin", "hung: it wrote nothing for 3 s"),
        ("tcg", "garbage", "the guest wrote garbage instead of a record"),
    ],
)
def test_a_machine_that_is_lost_says_why_and_keeps_what_came(
    boot: Callable[..., Iterator[bytes]], accelerator: str, what: str, words: str
) -> None:
    came: list[bytes] = []
    silence = 3 if words.startswith("hung") else seconds(60)
    timeouts = Timeouts(first=seconds(60), silence=silence)
    try:
        for line in boot(accelerator, what, timeouts=timeouts):
            came.append(line)
    except LostVm as error:
        said = str(error)
    else:
        pytest.fail("the loss was not noticed")
    assert words in said
    assert "\n" not in said
    assert came == [b'{"v":1,"kind":"context"}\n']


def test_a_killed_qemu(boot: Callable[..., Iterator[bytes]]) -> None:
    lines = boot("tcg", "hang")
    assert next(lines) == b'{"v":1,"kind":"context"}\n'
    commands = {pid: Path(f"/proc/{pid}/comm").read_text() for pid in descendants(os.getpid())}
    (qemu,) = (pid for pid, command in commands.items() if command.startswith("qemu"))
    os.kill(qemu, signal.SIGKILL)
    with pytest.raises(LostVm, match="QEMU was killed by SIGKILL"):
        next(lines)


def test_commands_in_a_shell(
    image: Image, init: Path, capfd: pytest.CaptureFixture[str], require: Require
) -> None:
    require(shutil.which("busybox"), "busybox-static is not installed")
    commands = ["uname -r", "grep -c ext2 /proc/mounts", "ls /dev/userfaultfd", "ls /bin/zapbench*"]
    shell.boot(image.bzimage, init, commands=commands)
    said = capfd.readouterr().out
    for expected in (image.meta["release"], "\n1", "/dev/userfaultfd", "/bin/zapbench-guest"):
        assert expected in said
