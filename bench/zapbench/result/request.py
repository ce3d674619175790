# SPDX-License-Identifier: GPL-2.0-only
"""What a result directory was asked for, kept in it: ``--resume`` goes on with just that."""

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from zapbench.error import DiskFull, UsageError
from zapbench.host.file import write_if_changed

REQUEST = "request.json"
MOST_BOOTS = 10_000
LAST_SEED = (1 << 63) - 1
SEED = 1
"""Where none is asked for: two results are only comparable if their boots were perturbed alike."""

Command = Literal["run", "survey", "calibrate", "campaign"]


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to measure, where, and how much, in the words of the command line.

    None, or nothing: not said, to be chosen.  ``seed`` fixes the order of the cases; ``place``
    is the working directory, where names are looked up and files that are mapped are made.
    """

    globs: tuple[str, ...] = ()
    target: str | None = None
    kernel: str | None = None
    accel: str | None = None
    boots: Annotated[int, msgspec.Meta(ge=1, le=MOST_BOOTS)] | None = None
    seed: Annotated[int, msgspec.Meta(ge=0, le=LAST_SEED)] | None = None
    quick: bool = False
    place: Annotated[str, msgspec.Meta(min_length=1)] | None = None


NOTHING = Asked()


@dataclass(frozen=True, slots=True)
class Request:
    """What to measure, and where to keep it; ``resume``: go on with what is missing there."""

    asked: Asked = NOTHING
    directory: Path | None = None
    resume: bool = False


class _Head(msgspec.Struct, frozen=True):
    v: int


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    v: Literal[1]
    command: Command
    asked: Asked


def settled(asked: Asked, **chosen: Any) -> Asked:
    """What is asked, with what was chosen and the place, which are not to be chosen again."""
    place = asked.place or str(Path.cwd())
    readable = place.encode(errors="replace").decode() == place
    return msgspec.structs.replace(asked, place=place if readable else None, **chosen)


def keep(directory: Path, command: Command, asked: Asked) -> None:
    """Write down what a result directory is for.

    Raises:
        DiskFull: it cannot be written.
    """
    path = directory / REQUEST
    try:
        write_if_changed(path, msgspec.json.encode(_Kept(1, command, asked)) + b"\n")
    except OSError as error:
        raise DiskFull(f"cannot write {path}: {error.strerror}: make room") from error


def kept(directory: Path) -> tuple[Command, Asked] | None:
    """The command that measured into a result directory, and what it was asked for, if known."""
    try:
        found = _read(directory / REQUEST)
    except (OSError, UsageError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found.command, found.asked


def _read(path: Path) -> _Kept:
    text = path.read_bytes()
    if (v := msgspec.json.decode(text, type=_Head).v) != 1:
        raise UsageError(
            f"{path} is of version {v}, this zapbench reads 1; use the zapbench that wrote it"
        )
    return msgspec.json.decode(text, type=_Kept)


def going_on(directory: Path, command: Command, asked: Asked) -> Asked:
    """What a result directory was asked for, where ``asked`` does not say otherwise.

    Globs are added to those that were asked for.

    Raises:
        UsageError: there is no such directory, another command measured there, what is kept
            cannot be read, nothing is kept and nothing asked, or globs are to be added to a grid.
    """
    if not directory.is_dir():
        what = "is no directory" if directory.exists() else "does not exist"
        raise UsageError(f"{directory} {what}: start without --resume")
    path = directory / REQUEST
    try:
        before = _read(path)
    except FileNotFoundError:
        if asked.globs or asked.quick:
            return asked
        raise UsageError(
            f"{directory} does not say what it was asked for, as an older zapbench began it: "
            f"repeat the words of that command together with: {again(command, directory)}"
        ) from None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot read {path} ({error}): remove it, and repeat the words of the command "
            f"together with: {again(command, directory)}"
        ) from error
    if before.command != command:
        raise UsageError(f"go on in {directory} with: {again(before.command, directory)}")
    said = {
        name: value
        for name in Asked.__struct_fields__
        if (value := getattr(asked, name)) != getattr(NOTHING, name)
    }
    if "globs" in said:
        if not before.asked.globs:
            raise UsageError(
                f"{directory} was asked for a whole grid: go on with it without a glob, or measure "
                f"{' '.join(asked.globs)} in a directory of their own"
            )
        said["globs"] = tuple(dict.fromkeys((*before.asked.globs, *asked.globs)))
    return msgspec.structs.replace(before.asked, **said)


@contextmanager
def in_place(asked: Asked) -> Iterator[Path | None]:
    """Work where it was begun; gives what was the working directory, if that is another.

    Raises:
        UsageError: there is no such directory any more.
    """
    before = Path.cwd()
    if asked.place is None or Path(asked.place) == before:
        yield None
        return
    try:
        os.chdir(asked.place)
    except (OSError, ValueError) as error:  # a name with a null byte
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(
            f"this was begun in {asked.place!r}, where files are made and names looked up: "
            f"{why}; make it, or start anew"
        ) from error
    try:
        yield before
    finally:
        os.chdir(before)


def again(command: Command, directory: Path) -> str:
    """The command that goes on with what a result directory was asked for, quoted for a shell.

    The results of a campaign are in its directory, one for each kernel.
    """
    if command == "campaign":
        return shlex.join(["zapbench", command, "next", "-o", str(directory.parent)])
    return shlex.join(["zapbench", command, "--resume", "-o", str(directory)])
