# SPDX-License-Identifier: GPL-2.0-only
"""A source tree of four files that answers make as a kernel does, and builds in a second."""

import hashlib
import io
import os
import subprocess
import tarfile
from pathlib import Path

MAKEFILE = """\
# kbuild's calling conventions, nothing more
src := ..
config := $(or $(KCONFIG_CONFIG),.config)
ifneq ($(MAKELEVEL),1)
$(or $(MAKECMDGOALS),all):
\t@+$(MAKE) --no-print-directory -C $(O) -f ../Makefile $@
else
VPATH := $(src)
tinyconfig:
\techo CONFIG_BASE=y > $(config)
olddefconfig:
\t@grep -Ff $(src)/Symbols $(config) > $(config).new; mv $(config).new $(config)
%.o: %.c
\t@mkdir -p $(@D)
\t@echo "  CC      $@"
\t@$(CC) -c -o $@ $<
vmlinux: mm/madvise.o init/main.o
\t@$(CC) -nostdlib -Wl,-e,start,--build-id=sha1 -o $@ $^
bzImage: vmlinux
\t@mkdir -p arch/x86/boot
\t@{ head -c 510 /dev/zero; printf '\\125\\252\\0\\0HdrS'; cat vmlinux; } > arch/x86/boot/bzImage
\t@nm vmlinux > System.map
kernelrelease:
\t@echo 1.2.3
endif
"""
MERGE = """\
# -m -O DIRECTORY BASE FRAGMENT...
shift 3; base=$1; shift; cat "$@" | grep -v '^# [a-z]' >> "$base"
"""
MADVISE = """\
int zap(void)
{
\treturn 0;
}

int first(void)
{
\treturn 1;
}

int second(void)
{
\treturn 2;
}
"""
FILES = {
    "Makefile": MAKEFILE,
    "Kbuild": "",
    "Symbols": "CONFIG_BASE\nCONFIG_MMU\n",
    "scripts/kconfig/merge_config.sh": MERGE,
    "mm/madvise.c": MADVISE,
    "init/main.c": "void start(void) { for (;;) ; }\n",
}
PATCH = """\
Subject: [RFC PATCH] zap

---
--- a/mm/madvise.c
+++ b/mm/madvise.c
@@ -1,4 +1,4 @@
 int zap(void)
 {
-\treturn 0;
+\treturn 26;
 }
diff --git a/mm/zap.c b/mm/zap.c
new file mode 100644
--- /dev/null
+++ b/mm/zap.c
@@ -0,0 +1 @@
+int added;
"""
KERNELS = """\
[kernel."1.2"]
tarball = "{tarball}"
sha256 = "{sha256}"
series = {{ zap = "series/1.2" }}
"""


def write(directory: Path) -> None:
    """The toy's files."""
    for name, content in FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def tarball(path: Path) -> str:
    """The toy as a tarball with one directory; its SHA-256."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in FILES.items():
            member = tarfile.TarInfo(f"linux-1.2.3/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content.encode()))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def catalogue(directory: Path) -> Path:
    """A directory like kernel/, whose one entry is the toy; its tarball is next to it."""
    archive = directory / "toy.tar.gz"
    sha256 = tarball(archive)
    (directory / "config").mkdir()
    (directory / "config/bench.config").write_text("CONFIG_MMU=y\n")
    (directory / "config/optional.config").write_text("CONFIG_GONE=y\n")
    (directory / "config/wrong.config").write_text("# no such symbol\nCONFIG_NONE=y\n")
    series = directory / "series/1.2"
    series.mkdir(parents=True)
    (series / "0001-zap.patch").write_text(PATCH)
    (directory / "kernels.toml").write_text(KERNELS.format(tarball=archive, sha256=sha256))
    return directory


def git(directory: Path, *words: str) -> str:
    """Run git in a directory, as nobody in particular."""
    identity = ["-c", "user.name=toy", "-c", "user.email=toy@localhost"]
    done = subprocess.run(
        ["git", "-C", str(directory), *identity, *words],
        check=True,
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    )
    return done.stdout.strip()


def repository(directory: Path) -> str:
    """The toy as a git repository with two commits; the hash of the first."""
    write(directory)
    git(directory, "init", "-q", "-b", "main")
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "-m", "first")
    first = git(directory, "rev-parse", "HEAD")
    (directory / "mm/madvise.c").write_text(MADVISE.replace("return 2", "return 3"))
    git(directory, "commit", "-q", "-a", "-m", "second")
    return first
