# SPDX-License-Identifier: GPL-2.0-only
"""Somebody's git repository on this machine, read without running git in it.

Its configuration, hooks and attributes may name programs, and whoever owns it need not be
whom we run as.  So its refs are read here, as text, and shown in a repository of ours that
borrows its objects (git's alternates): nothing is copied, and nothing of it is run or written.
Its objects are what it says they are only once their hashes were compared
(`zapbench.kernel.checkout`).
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from zapbench.error import UsageError
from zapbench.host.scratch import scratch
from zapbench.kernel.git import Repository, attributes

_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_NAME = re.compile(r"(?!.*(?:\.\.|//|@\{|/\.|\.lock(?:/|$)))[^\x00-\x20\x7f~^:?*\[\\]+(?<![/.])")
_OWN_HEAD = re.compile(r"[A-Z_]*HEAD")
"""HEAD, ORIG_HEAD, BISECT_HEAD, ...: each work tree has its own."""
_PER_WORK_TREE = ("refs/bisect", "refs/worktree", "refs/rewritten")
_SIZE = 1 << 26
"""Bytes of a file of refs: more than a million of them."""
_LINKS = 5
"""How many symbolic refs git follows, one to the other."""

_TRACKING = r"^(branch\..*\.(remote|merge)|remote\..*\.fetch)$"
_TRACKED = re.compile(r"\+?[^\x00-\x20\x7f\"\\]+")


@dataclass(frozen=True, slots=True)
class Clone:
    """A repository: its git directory, the one it shares with other work trees, its files.

    ``work`` is None for a bare one.
    """

    git: Path
    common: Path
    work: Path | None

    def refs(self) -> dict[str, str]:
        """The hash that each ref names, by its full name; HEAD and its like are not in it."""
        raw = dict(_packed(_text(self.common / "packed-refs")))
        raw |= _loose(self.common, "refs")
        if self.git != self.common:
            raw = {n: v for n, v in raw.items() if not n.startswith(_PER_WORK_TREE)}
            raw |= {n: v for each in _PER_WORK_TREE for n, v in _loose(self.git, each).items()}
        found = ((name, _followed(name, raw)) for name in raw)
        return {name: value for name, value in found if value}

    def head(self) -> str:
        """What HEAD holds: ``ref: `` and a name, or a hash; empty if neither."""
        path = self.git / "HEAD"
        if path.is_symlink() and _NAME.fullmatch(target := str(path.readlink())):
            return f"ref: {target}"
        said = _text(path).strip()
        return said if _HASH.fullmatch(said) or _NAME.fullmatch(_target(said)) else ""

    def shallow(self) -> str:
        """The commits whose parents it does not have, a line each."""
        return "".join(f"{h}\n" for h in _HASH.findall(_text(self.common / "shallow")))

    def is_partial(self) -> bool:
        """Whether it may lack objects, which its own git would fetch when they are asked for."""
        return any((self.common / "objects/pack").glob("*.promisor"))

    def changed(self, repository: Repository) -> list[str]:
        """The tracked files that are not as the index or HEAD has them, by name.

        ``repository`` is one that shows this clone.  What a sparse check-out leaves out has not
        changed, nor has anything in a clone that nothing was checked out in.
        """
        if self.work is None or not (self.git / "index").is_file():
            return []
        for path in (self.git / "index", *self.git.glob("sharedindex.*")):
            _copy(path, repository.path / path.name)
        # A check-out with other line endings has not changed.
        (repository.path / "info/attributes").write_text(attributes("text=auto"))
        env = {"GIT_INDEX_FILE": str(repository.path / "index"), "GIT_WORK_TREE": str(self.work)}
        # Submodules are repositories with configurations of their own.
        words = ("-z", "--untracked-files=no", "--ignore-submodules=all", "--no-renames")
        place = ("-C", str(self.work))
        purpose = f"comparing {self.work} with its index"
        said = repository.run(
            *place, "status", "--porcelain", *words, env=env, failure=UsageError, purpose=purpose
        )
        return [line[3:] for line in said.split("\0") if line]

    @contextmanager
    def shown(self, *, tracking: bool = False) -> Iterator[Repository]:
        """A repository of ours with the refs and objects of this one, for as long as the block.

        With ``tracking`` it knows the upstream of each branch: names, and nothing else, are read
        from the clone's configuration.

        Raises:
            UsageError: its format is one that is not read.
        """
        if (self.common / "reftable").is_dir():
            raise UsageError(
                f"{self.common} keeps its refs in the reftable format, which is not read here: "
                f"git -C {self.common} refs migrate --ref-format=files"
            )
        objects = (self.common / "objects").resolve()
        if "\n" in str(objects):
            raise UsageError(f"a line break in the name of a directory: {str(objects)!r}")
        refs, head = self.refs(), self.head()
        with scratch("git") as place:
            made = Repository(place)
            length = len(next(iter(refs.values()), head)) if refs or not _target(head) else 40
            config = _tracking(made, self.common / "config") if tracking else ""
            made.make(objects, hash_length=length, config=config)
            for name, value in self._heads().items():
                _write(made.path / name, f"{value}\n")
            lines = "".join(f"{refs[name]} {name}\n" for name in sorted(refs, key=os.fsencode))
            _write(made.path / "packed-refs", f"# pack-refs with: sorted \n{lines}")
            if shallow := self.shallow():
                _write(made.path / "shallow", shallow)
            (made.path / "logs").mkdir()
            _copy(self.git / "logs/HEAD", made.path / "logs/HEAD")
            (made.path / "logs/refs").symlink_to(self.common / "logs/refs")
            yield made

    def _heads(self) -> dict[str, str]:
        """HEAD and its like."""
        paths = [path for path in self.git.iterdir() if _OWN_HEAD.fullmatch(path.name)]
        said = {path.name: re.split(r"[\t\n]", _text(path))[0] for path in paths}
        found = {name: value for name, value in said.items() if _HASH.fullmatch(value)}
        head = self.head()
        return found | ({"HEAD": head} if head else {})


def find(path: Path) -> Clone:
    """The repository at a path, or around it as git finds it.

    Raises:
        UsageError: there is none.
    """
    place = path.expanduser().absolute()
    for each in (place, *place.parents):
        inner = each / ".git"
        if inner.is_file():  # of a further work tree, or of a submodule
            said = _text(inner)
            git = each / said.removeprefix("gitdir:").strip()
            if said.startswith("gitdir:") and (found := _at(git, each)):
                return found
            raise UsageError(f"{inner} does not name a git directory")
        if (found := _at(inner, each)) or (found := _at(each, None)):
            return found
    raise UsageError(f"{path} is not a git repository")


def has(path: Path, name: str) -> bool:
    """Whether there is a repository at a path, in which a name stands for a commit."""
    try:
        with find(path).shown(tracking="@{" in name) as shown:
            return commit(shown, name) is not None
    except UsageError:
        return False


def is_name(text: str) -> bool:
    """Whether git takes it as the name of a ref."""
    return _NAME.fullmatch(text) is not None


def commit(repository: Repository, name: str) -> str | None:
    """The hash of the commit that a name stands for, as git reads names; None if for none."""
    found = _parsed(repository, name)
    return found and _parsed(repository, f"{found}^{{commit}}")


def _parsed(repository: Repository, name: str) -> str | None:
    status, out, _ = repository.told("rev-parse", "--verify", "--end-of-options", name)
    found = out.decode(errors="replace").strip()
    return found if status == 0 and _HASH.fullmatch(found) else None  # not ^main


def _at(git: Path, work: Path | None) -> Clone | None:
    common = git / (_text(git / "commondir").strip() or ".")
    if not (common / "objects").is_dir() or not (common / "refs").is_dir():
        return None
    if not (git / "HEAD").is_file() and not (git / "HEAD").is_symlink():
        return None
    if not work and git.name == ".git":
        work = git.parent
    return Clone(git.resolve(), common.resolve(), work)


def _text(path: Path) -> str:
    """What a plain file holds; nothing if it is none, or cannot be read."""
    return _read(path)[0].decode(errors="surrogateescape")


def _read(path: Path) -> tuple[bytes, int]:
    """A plain file's content and time stamp (ns): a pipe or device must not hold us up."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b"", 0
    with open(descriptor, "rb") as file:
        about = os.fstat(file.fileno())
        plain = stat.S_ISREG(about.st_mode) and about.st_size <= _SIZE
        return (file.read(_SIZE) if plain else b""), about.st_mtime_ns


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode(errors="surrogateescape"))


def _copy(source: Path, target: Path) -> None:
    content, stamp = _read(source)
    target.write_bytes(content)
    # Git tells by it which files may have changed within the tick in which it was written.
    os.utime(target, ns=(stamp, stamp))


def _target(value: str) -> str:
    """The name that a symbolic ref names."""
    return value.removeprefix("ref:").strip() if value.startswith("ref:") else ""


def _packed(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n"):
        value, _, name = line.partition(" ")
        if _HASH.fullmatch(value) and name.startswith("refs/") and _NAME.fullmatch(name):
            yield name, value


def _loose(directory: Path, prefix: str) -> dict[str, str]:
    found = {}
    for place, _, files in os.walk(directory / prefix):
        for file in files:
            path = Path(place, file)
            name = str(path.relative_to(directory))
            if _NAME.fullmatch(name):
                found[name] = _text(path).partition("\n")[0].rstrip()
    return found


def _followed(name: str, raw: Mapping[str, str]) -> str:
    """The hash that a ref names in the end; empty if it does not."""
    value = raw[name]
    for _ in range(_LINKS):
        if target := _target(value):
            value = raw.get(target, "")
    return value if _HASH.fullmatch(value) else ""


def _tracking(reader: Repository, config: Path) -> str:
    """The lines of a configuration that say which ref of which remote a branch follows."""
    words = ("config", "--file", str(config), "--no-includes", "-z", "--get-regexp", _TRACKING)
    # Reading a file by its name neither obeys it nor follows its includes.
    _, out, _ = reader.told(*words)
    lines = []
    for entry in out.decode(errors="surrogateescape").split("\0"):
        key, _, value = entry.partition("\n")
        section, _, rest = key.partition(".")
        inner, _, variable = rest.rpartition(".")
        if _TRACKED.fullmatch(value) and _TRACKED.fullmatch(inner):
            lines.append(f'[{section} "{inner}"]\n{variable} = "{value}"\n')
    return "".join(lines)
