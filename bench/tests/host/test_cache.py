# SPDX-License-Identifier: GPL-2.0-only
"""The cache, and two runs that share it."""

import subprocess
import sys
import threading

import pytest
from limits import seconds

from zapbench.error import EnvironmentMissing
from zapbench.kernel import build, make
from zapbench.kernel.catalogue import parse

pytestmark = pytest.mark.usefixtures("toy")


def test_a_cache_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZAPBENCH_CACHE", "/proc/cache")
    with pytest.raises(EnvironmentMissing, match="cannot make the cache directory /proc/cache"):
        build.build(parse("1.2"))


def test_two_runs_at_once_build_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    waiting = threading.Semaphore(0)
    compiled = make.compile_

    def slow(*words: object) -> int:
        calls.append(words)
        for _ in range(2):
            assert waiting.acquire(timeout=seconds(60)), "the others do not wait"
        return compiled(*words)  # type: ignore[arg-type]

    def told(stage: str, done: int, total: int | None) -> None:
        if "waiting" in stage:
            waiting.release()

    monkeypatch.setattr(build, "compile_", slow)
    images: list[build.Image] = []

    def run_once() -> None:
        images.append(build.build(parse("1.2"), progress=told))

    runs = [threading.Thread(target=run_once) for _ in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(calls) == 1
    assert len({image.path for image in images}) == 1


def test_a_killed_run_leaves_the_lock_free_and_the_cache_whole() -> None:
    script = (
        "import signal; from zapbench.kernel import build, catalogue\n"
        "def stuck(*words): print('compiling', flush=True); signal.pause()\n"
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
