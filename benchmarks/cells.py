"""`Cell`: one measured number and its target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from unified_blocks.compiling.timing import Ratio


@dataclass(frozen=True)
class Effort:
    """How much time to spend.

    Attributes:
        pairs: how many pairs a ratio has; with a target, at least.
        quick: whether to skip what takes long.
    """

    pairs: int = 200
    quick: bool = False

    def at_most(self, pairs: int) -> Effort:
        """The same with fewer pairs, for measurements that need no narrow interval."""
        return Effort(min(self.pairs, pairs), self.quick)


@dataclass(frozen=True)
class Cell:
    """One number.

    Attributes:
        what: what was measured: `"MLP"`.
        measure: the column: `"ours / native"`.
        value: the number; a median, of several.
        setting: how it was measured: `{"pass": "forward", "batch": 2}`.
        unit: `"ratio"`, `"s"`, `"bytes"` or `"count"`.
        low, high: the bounds of its 95 % interval, of a median.
        pairs: how many it is the median of.
        target: the most that it may be; None for one that is only shown.
        part, framework: the process that measured it, which fills them in.
    """

    what: str
    measure: str
    value: float
    setting: Mapping[str, int | str] = field(default_factory=dict)
    unit: str = "count"
    low: float | None = None
    high: float | None = None
    pairs: int | None = None
    target: float | None = None
    part: str = ""
    framework: str = ""

    @classmethod
    def ratio(cls, what: str, measure: str, ratio: Ratio, **others: Any) -> Cell:
        """A ratio that `unified_blocks.compiling.timing.ratio` found."""
        return cls(
            what,
            measure,
            ratio.median,
            unit="ratio",
            low=ratio.low,
            high=ratio.high,
            pairs=ratio.pairs,
            **others,
        )

    @classmethod
    def seconds(cls, what: str, measure: str, times: Any, **others: Any) -> Cell:
        """The median of some times."""
        return cls(what, measure, float(np.median(times)), unit="s", pairs=len(times), **others)

    @property
    def met(self) -> bool | None:
        """Whether the upper bound is within the target; None without a target."""
        if self.target is None:
            return None
        return (self.value if self.high is None else self.high) <= self.target

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "met": self.met}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Cell:
        return cls(**{name: value for name, value in found.items() if name != "met"})
