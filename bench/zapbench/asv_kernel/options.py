# SPDX-License-Identifier: GPL-2.0-only
"""What asv.conf.json says about kernels: its block ``kernel``, and variables of its matrix."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from zapbench.error import UsageError

ACCEL, CONFIG = "ZAPBENCH_ACCEL", "ZAPBENCH_CONFIG"
"""Matrix variables: how the machine runs (``env_nobuild``), a config fragment (``env``)."""
ROUNDS, UNITS, BUDGETS = "ZAPBENCH_ROUNDS", "ZAPBENCH_UNITS", "ZAPBENCH_BUDGETS"
"""What the suite is told when asv discovers it."""
DEFAULT_ROUNDS = 7


@dataclass(frozen=True, slots=True)
class Options:
    """The block ``kernel`` of asv.conf.json.

    ``records`` is the directory of the boots' records; ``rounds`` how many boots a commit gets;
    ``units`` which figures are drawn: ``instructions`` (icount), ``ns`` (all others);
    ``budgets`` is a file of the gate's, whose limits become an attribute of the benchmarks;
    ``build_seconds``, ``boot_seconds`` limit the wall-clock time of one build and one boot.
    """

    records: str = ".asv/records"
    rounds: int = DEFAULT_ROUNDS
    units: tuple[str, ...] = ("instructions",)
    budgets: str = ""
    build_seconds: float = 3600.0
    boot_seconds: float = 900.0

    @classmethod
    def of(cls, block: dict[str, Any]) -> Self:
        """Read the block.

        Raises:
            UsageError: an unknown key, or a value of the wrong kind.
        """
        known = {field.name: type(field.default) for field in fields(cls)}
        for key, value in block.items():
            if key not in known:
                choices = ", ".join(known)
                raise UsageError(f"asv.conf.json: kernel has no {key!r}; there are {choices}")
            kind: Any = (list, tuple) if known[key] is tuple else known[key]
            if not isinstance(value, (int, float) if kind is float else kind):
                raise UsageError(f"asv.conf.json: kernel.{key} cannot be {value!r}")
        values: dict[str, Any] = {k: tuple(v) if k == "units" else v for k, v in block.items()}
        made = cls(**values)
        if made.rounds < 1:
            raise UsageError("asv.conf.json: kernel.rounds must be at least 1")
        return made

    @property
    def variables(self) -> dict[str, str]:
        """What the suite is told in its environment when asv discovers it."""
        told = {ROUNDS: str(self.rounds), UNITS: " ".join(self.units)}
        return told | ({BUDGETS: str(Path(self.budgets).absolute())} if self.budgets else {})

    @property
    def directory(self) -> Path:
        """Where the records are, as an absolute path."""
        return Path(self.records).absolute()
