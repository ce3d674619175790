# SPDX-License-Identifier: GPL-2.0-only
"""The toy in the place of every kernel, and builds that fail."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import toy_kernel

from zapbench.error import ZapbenchError
from zapbench.host import cache
from zapbench.kernel import build, catalogue, source
from zapbench.kernel.catalogue import parse

Require = Callable[[object, str], None]


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, require: Require) -> Iterator[Path]:
    """A catalogue with the toy, and a cache of the test's own."""
    for program in ("gcc", "git", "flex", "bison", "bc", "make", "setpriv", "readelf"):
        require(shutil.which(program), f"{program} is not installed")
    (tmp_path / "kernel").mkdir()
    monkeypatch.setenv("ZAPBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ZAPBENCH_KERNEL_DIR", str(toy_kernel.catalogue(tmp_path / "kernel")))
    monkeypatch.setattr(source, "UNPACKED_SIZE", 1 << 20)
    monkeypatch.setenv("MAKEFLAGS", "-n")  # as from a make of the caller: must not reach a build
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    catalogue.directory.cache_clear()
    yield tmp_path / "kernel"
    catalogue.directory.cache_clear()


def line_of(kind: type[ZapbenchError], name: str, **options: object) -> str:
    """The message of a build that fails; it is one line, and nothing half-made is left."""
    with pytest.raises(kind) as caught:
        build.build(parse(name), **options)  # type: ignore[arg-type]
    parts = [path for path in cache.root().rglob("*") if path.name.endswith(".part")]
    assert parts == []
    assert not [path for path in (cache.root() / "image").glob("*") if path.is_dir()]
    assert "\n" not in str(caught.value)
    return str(caught.value)
