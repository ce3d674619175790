# SPDX-License-Identifier: GPL-2.0-only
"""A history for those who have a clone: its refs and objects, and the series as commits on top.

The clone is only read.  A local one lends its objects (git's alternates): nothing is copied.
"""

import shutil
from pathlib import Path

from zapbench.error import BuildFailed, UsageError
from zapbench.host.cache import Progress
from zapbench.host.file import write_if_changed
from zapbench.host.process import output
from zapbench.kernel import catalogue
from zapbench.kernel.history import patches, releases
from zapbench.kernel.history.git import Repository
from zapbench.kernel.history.releases import VERSION, Made, order, series_of

MIRRORED = ("refs/heads/", "refs/tags/")


def make(path: Path, origin: str, progress: Progress) -> Made:
    """Make or bring up to date a history that follows the clone at a path or URL.

    Branches and tags are the clone's.  For each base that kernels.toml has a series for, a branch
    such as ``v6.12.5+madv-zap`` is added on top of the newest tag of that base; one that a series
    does not apply to is in ``Made.skipped``.

    Raises:
        UsageError: no repository is there, or ``path`` is something else.
        EnvironmentMissing: git is missing, or the disk is full.
    """
    path = path.expanduser().absolute()
    local = Path(origin).expanduser()
    place = _git_directory(local) if local.exists() else None
    if place is None and ":" not in origin:
        raise UsageError(f"no git repository at {origin}")
    repository = releases.check(path, "git")
    with releases.locked(repository, progress):
        releases.begin(repository, "git")
        if place is not None:
            _lend(repository, place)
        else:
            progress("fetch", 0, None)
            _fetch(repository, origin)
        progress("series", 0, None)
        added, skipped = _with_series(repository)
        repository.update(added)
    return Made(path, (), (), added, skipped)


def _reading(directory: Path, *words: str) -> str:
    """What git says about another's repository, which is never written to or configured by."""
    command = ["git", "--no-optional-locks", "-c", "safe.directory=*", "-C", str(directory)]
    return output([*command, *words], failure=UsageError, purpose=f"git {words[0]} in {directory}")


def _git_directory(local: Path) -> Path:
    """Where the objects and refs of a clone, or of a work tree of one, are."""
    try:
        said = _reading(local, "rev-parse", "--path-format=absolute", "--git-common-dir")
    except UsageError as error:
        raise UsageError(f"{local} is not a git repository") from error
    return Path(said.strip())


def _lend(repository: Repository, place: Path) -> None:
    """Show the objects and refs of the git directory ``place`` in ours."""
    alternates = repository.path / "objects/info/alternates"
    write_if_changed(alternates, f"{place / 'objects'}\n".encode())
    shallow = repository.path / "shallow"
    shallow.unlink(missing_ok=True)
    if (place / "shallow").is_file():
        shutil.copyfile(place / "shallow", shallow)
    listing = _reading(place, "for-each-ref", "--format=%(objectname) %(refname)", *MIRRORED)
    pairs = (line.split(" ", 1) for line in listing.splitlines())
    repository.update({name: commit for commit, name in pairs})
    try:
        head = _reading(place, "symbolic-ref", "--quiet", "HEAD").strip()
    except UsageError:  # detached
        return
    repository.run("symbolic-ref", "HEAD", head)


def _fetch(repository: Repository, url: str) -> None:
    """Fetch all branches and tags, with the user's configuration (credentials, proxies)."""
    env = {"GIT_DIR": str(repository.path), "GIT_TERMINAL_PROMPT": "0"}
    wanted = [f"+{prefix}*:{prefix}*" for prefix in MIRRORED]
    command = [
        "git",
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-prune",
        "--update-shallow",
        "--",
        url,
        *wanted,
    ]
    output(command, env=env, failure=UsageError, purpose=f"cannot fetch from {url}")
    command = ["git", "ls-remote", "--symref", "--", url, "HEAD"]
    said = output(command, env=env, failure=UsageError, purpose=f"cannot fetch from {url}")
    if said.startswith("ref: "):
        repository.run("symbolic-ref", "HEAD", said.split()[1])


def _with_series(repository: Repository) -> tuple[dict[str, str], tuple[str, ...]]:
    """Commits of each series on the newest tag of its base: refs to be set, and what failed."""
    tags = repository.refs("refs/tags")
    names = [name.removeprefix("refs/tags/v") for name in tags if name.startswith("refs/tags/v")]
    added, skipped = {}, []
    for base in catalogue.load():
        releases = [n for n in names if VERSION.fullmatch(n) and _of(n, base)]
        if not releases:
            continue
        newest = max(releases, key=order)
        for series in series_of(base):
            try:
                tip = patches.put(repository, tags[f"refs/tags/v{newest}"], series, newest)
            except BuildFailed as error:
                skipped.append(f"v{newest}+{series.name}: {error}")
                continue
            added[f"refs/heads/v{newest}+{series.name}"] = tip.commit
    return added, tuple(skipped)


def _of(name: str, base: str) -> bool:
    return ".".join(name.partition("-")[0].split(".")[:2]) == base
