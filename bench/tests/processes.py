# SPDX-License-Identifier: GPL-2.0-only
"""What runs on this machine, and what is set in the environment of whoever starts something."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

JUNK = (
    *("LLVM", "LLVM_IAS", "LOCALVERSION", "HOSTCFLAGS", "HOSTLDFLAGS", "HOSTCC", "CC", "LD", "AR"),
    *("CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "GCC_EXEC_PREFIX"),
    *("COMPILER_PATH", "CFLAGS", "LDFLAGS", "KCFLAGS", "KCPPFLAGS", "KAFLAGS", "KBUILD_CFLAGS"),
    *("KBUILD_OUTPUT", "KCONFIG_CONFIG", "ARCH", "CROSS_COMPILE", "SOURCE_DATE_EPOCH", "TZ"),
    *("MAKEFLAGS", "MFLAGS", "GNUMAKEFLAGS", "MAKEFILES", "MAKELEVEL", "V", "W", "O", "M"),
    *("CCACHE_PREFIX", "CCACHE_SLOPPINESS", "CCACHE_COMPILERCHECK", "CCACHE_READONLY"),
    *("LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONPATH", "PERL5LIB", "BASH_ENV", "ENV", "CDPATH"),
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_CONFIG_COUNT", "GIT_CONFIG_GLOBAL"),
    *("QEMU_AUDIO_DRV", "QEMU_LOG", "QEMU_MODULE_DIR", "TAR_OPTIONS", "XZ_OPT", "GZIP"),
    *("DEB_BUILD_OPTIONS", "LANGUAGE", "LANG", "LC_MESSAGES", "GREP_OPTIONS", "ANYTHING"),
)
"""Variables that change what a compiler, make, git, QEMU or an interpreter does."""


def below(directory: Path) -> list[int]:
    """The processes whose working directory is in a directory, none of them dead."""
    return [pid for pid, cwd in _places() if directory in (cwd, *cwd.parents)]


def descendants(pid: int) -> list[int]:
    """The processes that a process started, directly or not, each after its parent."""
    found = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                found += [child, *descendants(child)]
    return found


def _places() -> Iterator[tuple[int, Path]]:
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            yield int(entry.name), (entry / "cwd").readlink()
