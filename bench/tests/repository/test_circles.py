# SPDX-License-Identifier: GPL-2.0-only
"""``make lint`` finds the circles among the files and folders of the C core."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from core import CBENCH

CHECK = CBENCH / "check_circles.py"

LINE = {"a.c": "int b(void); int a(void) { return b(); }", "b.c": "int b(void) { return 0; }"}
BY_CALLS = LINE | {"b.c": "int a(void); int b(void) { return a(); }"}
BY_DATA = {
    "a.c": "extern const int table[]; int a(void) { return table[0]; }",
    "b.c": "int a(void); int (*const row)(void) = a; const int table[1];",
}
BY_FOLDERS = {
    "one/a.c": "int b(void); int a(void) { return b(); }",
    "two/b.c": "int b(void) { return 0; }",
    "two/c.c": "int d(void); int c(void) { return d(); }",
    "one/d.c": "int d(void) { return 0; }",
}
INSIDE_A_FOLDER = {f"one/{name}": text for name, text in LINE.items()}


def check(directory: Path, sources: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Compile the sources as meson would, and look for circles among them."""
    commands = []
    for name, text in sources.items():
        source = directory / "cbench" / name
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(text)
        output = name.replace("/", "_") + ".o"
        subprocess.run(["gcc", "-c", source, "-o", directory / output], check=True)
        commands.append({"file": str(source), "output": output})
    (directory / "compile_commands.json").write_text(json.dumps(commands))
    return subprocess.run(
        [sys.executable, CHECK, directory], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("sources", [LINE, INSIDE_A_FOLDER], ids=["files", "folder"])
def test_no_circle_is_no_word(tmp_path: Path, sources: dict[str, str]) -> None:
    done = check(tmp_path, sources)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("sources", "steps"),
    [
        (
            BY_CALLS,
            {"files of cbench need each other:", "a.c needs b of b.c", "b.c needs a of a.c"},
        ),
        (
            BY_DATA,
            {"files of cbench need each other:", "a.c needs table of b.c", "b.c needs a of a.c"},
        ),
        (
            BY_FOLDERS,
            {
                "folders of cbench need each other:",
                "one/a.c needs b of two/b.c",
                "two/c.c needs d of one/d.c",
            },
        ),
    ],
    ids=["calls", "data", "folders"],
)
def test_a_planted_circle_is_named(
    tmp_path: Path, sources: dict[str, str], steps: set[str]
) -> None:
    done = check(tmp_path, sources)
    assert done.returncode == 1
    assert {line.strip() for line in done.stderr.splitlines()} == steps


def test_a_build_without_objects_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "compile_commands.json").write_text("[]")
    done = subprocess.run(
        [sys.executable, CHECK, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "no object files" in done.stderr
