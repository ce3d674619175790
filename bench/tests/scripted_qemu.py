# SPDX-License-Identifier: GPL-2.0-only
"""A QEMU that is a script: $console and $records are its files."""

import subprocess

CONTEXT = '{"v":1,"kind":"context"}'
END = '{"v":1,"kind":"end"}'
CASE = "zap/dontneed/shmem/4k/4k"
SCRIPT = """\
#!/bin/sh
[ "$1" = --version ] && echo "QEMU emulator version 0" && exit
accel=$4
for word; do case $word in
*id=console,path=*) console=${{word##*path=}} ;;
*id=records,path=*) records=${{word##*path=}} ;;
esac; done
{body}
"""


def running_programs() -> str:
    """The command lines of all processes."""
    return subprocess.check_output(["ps", "-eo", "args"], text=True)
