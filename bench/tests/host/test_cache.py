# SPDX-License-Identifier: GPL-2.0-only
"""The cache, and two runs that share it."""

import subprocess
import sys
import threading
import time

import pytest

from zapbench.error import EnvironmentMissing
from zapbench.kernel import build
from zapbench.kernel.catalogue import parse

pytestmark = pytest.mark.usefixtures("toy")


def test_a_cache_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZAPBENCH_CACHE", "/proc/cache")
    with pytest.raises(EnvironmentMissing, match="cannot make the cache directory /proc/cache"):
        build.build(parse("1.2"))


def test_two_runs_at_once_build_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[float] = []
    compiled = build.compile_

    def slow(*words: object) -> int:
        calls.append(time.monotonic())
        time.sleep(0.3)
        return compiled(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(build, "compile_", slow)
    images: list[build.Image] = []
    runs = [
        threading.Thread(target=lambda: images.append(build.build(parse("1.2")))) for _ in range(3)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(calls) == 1
    assert len({image.path for image in images}) == 1


def test_a_killed_run_leaves_the_lock_free_and_the_cache_whole() -> None:
    script = (
        "import time; from zapbench.kernel import build, catalogue\n"
        "def stuck(*words): print('compiling', flush=True); time.sleep(60)\n"
        "build.compile_ = stuck\n"
        "build.build(catalogue.parse('1.2+zap'))\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == b"compiling\n"
        finally:
            child.kill()
    assert build.build(parse("1.2")).build_id
    assert build.build(parse("1.2+zap")).build_id
