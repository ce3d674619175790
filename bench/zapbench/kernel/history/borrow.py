# SPDX-License-Identifier: GPL-2.0-only
"""A history for those who have a clone: its refs and objects, and the series as commits on top.

The clone is only read.  A local one lends its objects (git's alternates): nothing is copied.
"""

from pathlib import Path

from zapbench.error import BuildFailed, EnvironmentMissing, UsageError
from zapbench.host.cache import Progress
from zapbench.host.file import write_if_changed
from zapbench.kernel import catalogue, clone
from zapbench.kernel.clone import Clone
from zapbench.kernel.git import FETCH, Repository
from zapbench.kernel.history import patches, releases
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
    place = clone.find(local) if local.exists() else None
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
        added, skipped, notes = _with_series(repository)
        repository.update(added)
    return Made(path, (), (), added, skipped, notes)


def _lend(repository: Repository, place: Clone) -> None:
    """Show the objects and refs of a clone in ours."""
    with place.shown() as shown:  # which refuses what cannot be read
        alternates = (shown.path / "objects/info/alternates").read_bytes()
    write_if_changed(repository.path / "objects/info/alternates", alternates)
    (repository.path / "shallow").unlink(missing_ok=True)
    if shallow := place.shallow():
        write_if_changed(repository.path / "shallow", shallow.encode())
    refs = place.refs()
    repository.update({name: value for name, value in refs.items() if name.startswith(MIRRORED)})
    head = Clone(place.common, place.common, None).head()  # not that of a further work tree
    if head.startswith("ref: "):  # not detached
        repository.run("symbolic-ref", "HEAD", head.removeprefix("ref: "))


def _fetch(repository: Repository, url: str) -> None:
    """Fetch all branches and tags, with the user's configuration (credentials, proxies)."""
    wanted = [f"+{prefix}*:{prefix}*" for prefix in MIRRORED]
    try:
        repository.fetch(url, *FETCH, "--no-prune", "--update-shallow", "--", url, *wanted)
        said = repository.fetch(url, "ls-remote", "--symref", "--", url, "HEAD")
    except EnvironmentMissing as error:
        raise UsageError(f"cannot fetch from {url}: {error}") from error
    if said.startswith("ref: "):
        repository.run("symbolic-ref", "HEAD", said.split()[1])


def _with_series(
    repository: Repository,
) -> tuple[dict[str, str], tuple[str, ...], tuple[str, ...]]:
    """Commits of each series on the newest tag of its base.

    Returns the refs to be set, what failed, and what of the mails could not be read.
    """
    tags = repository.refs("refs/tags")
    names = [name.removeprefix("refs/tags/v") for name in tags if name.startswith("refs/tags/v")]
    added, skipped = {}, []
    notes: list[str] = []
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
            notes += tip.notes
    return added, tuple(skipped), tuple(notes)


def _of(name: str, base: str) -> bool:
    return ".".join(name.partition("-")[0].split(".")[:2]) == base
