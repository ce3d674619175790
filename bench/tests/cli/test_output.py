# SPDX-License-Identifier: GPL-2.0-only
"""What the commands print, whatever it holds."""

import json

import pytest

from zapbench.cli.output import note, print_json, say


def test_json_is_ascii_and_loses_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    data = {"µs": ["≠", "a name that is no text: \udcff"]}
    print_json(data)
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == data


def test_an_answer_ends_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    for answer in ("one", "two\nthree\n", 4):
        say(answer)
    assert capsys.readouterr().out == "one\ntwo\nthree\n4\n"


def test_a_note_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    note("two\nlines ")
    assert capsys.readouterr().err == "zapbench: two lines\n"
