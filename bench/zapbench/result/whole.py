# SPDX-License-Identifier: GPL-2.0-only
"""Whether what is missing in a result was measured later, and how to go on where it was not."""

import shlex
from dataclasses import replace
from pathlib import Path

from zapbench.case import choose
from zapbench.error import UsageError
from zapbench.record import Context, End, Recording, finished
from zapbench.result.request import Asked, Command, again, kept

ONE_KERNEL: tuple[Command, ...] = ("run", "campaign")
"""Commands whose request is of the one result next to it."""


def with_remark(directory: Path, recording: Recording) -> Recording:
    """A recording of a result directory, with what there is to do about what is missing in it.

    ``truncated`` is None where everything that was asked for is there, by whatever stream; a
    damaged file stays one until it is cleaned.  Where it is known how much was asked for, what
    was interrupted is not whole either, though its streams have their ends.
    """
    if not recording.records:
        return recording
    found = kept(directory)
    asked = found[1] if found is not None and found[0] in ONE_KERNEL else None
    if recording.truncated is None:
        if asked is None or asked.boots is None or made_up(recording, asked):
            return recording
        recording = replace(recording, truncated="not all that was asked for was measured")
    whole = made_up(recording, asked)
    if whole and not recording.damaged:
        return replace(recording, truncated=None)
    said = [recording.truncated]
    if recording.damaged:
        said.append(f"clean it with: {shlex.join(['zapbench', 'repair', str(directory)])}")
    if not whole:
        said.append(_advice(directory, found))
    return replace(recording, truncated="; ".join(filter(None, said)))


def made_up(recording: Recording, asked: Asked | None = None) -> bool:
    """Whether no case is missing in any boot, although a stream was cut off.

    Where it is not known what was asked for, it is every case that any boot has, and the
    measurement came to its end if its last stream did.
    """
    done = finished(recording.records)
    boots = {context.run.boot for context in recording.of(Context)}
    cases = _cases(asked) or {case for _, case in done}
    if asked is not None and asked.boots is not None:
        boots = set(range(asked.boots))
    elif not recording.records or not isinstance(recording.records[-1], End):
        return False
    return done >= {(boot, case) for boot in boots for case in cases}


def _cases(asked: Asked | None) -> set[str]:
    """What was asked for; nothing where that is not known, or this zapbench has no such cases."""
    if asked is None:
        return set()
    try:
        cells = choose(asked.globs, quick=asked.quick)
    except UsageError:
        return set()
    return {str(cell.case) for cell in cells if cell.excluded is None}


def _advice(directory: Path, found: tuple[Command, Asked] | None) -> str:
    if found is not None:
        return f"go on with: {again(found[0], directory)}"
    if directory.is_dir():
        return f"repeat the words of its command together with: {again('run', directory)}"
    return ""
