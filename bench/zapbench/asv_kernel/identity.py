# SPDX-License-Identifier: GPL-2.0-only
"""Which image a commit became: kept next to the records, so that they can be told from them."""

import json
from pathlib import Path

from zapbench.host import cache
from zapbench.host.file import write_if_changed
from zapbench.kernel.build import Image

COMMITS = "commits.json"


def load(records: Path) -> dict[str, str]:
    """Build ids by commit, of every commit that was built for these records."""
    path = records / COMMITS
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def remember(records: Path, commit: str, image: Image) -> None:
    """Note the build id of a commit's image."""
    with cache.locked("asv-commits"):
        known = load(records) | {commit: image.build_id}
        content = json.dumps(known, indent=1, sort_keys=True) + "\n"
        write_if_changed(records / COMMITS, content.encode())
