"""`ParameterGroup`: parameters that learn otherwise. The backends know it, so it lives there."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

import numpy as np

from unified_blocks.backend.training_step import Optimizer
from unified_blocks.backend.training_step import ParameterGroup as ParameterGroup
from unified_blocks.errors import UnsupportedError


class Setting(NamedTuple):
    """How a parameter is updated: the factor on the learning rate, and λ, None for its own."""

    factor: float = 1.0
    decay: float | None = None

    def rate(self, learning_rate: float) -> float:
        """The learning rate of the parameter, in float32 on every backend."""
        return float(np.float32(learning_rate) * np.float32(self.factor))


def settings_of(
    parameters: Sequence[Sequence[str]],
    groups: Sequence[ParameterGroup],
    optimizer: Optimizer,
    frozen: Sequence[str] = (),
) -> list[Setting]:
    """How each parameter is updated; an empty list without groups.

    Args:
        parameters: the canonical names of each, several when a framework holds them as one.
        groups: of several that fit the first counts.
        optimizer: whose weight decay they have otherwise.
        frozen: the names of what is not trained.

    Raises:
        ValueError: a group that fits nothing, or weight decay where the optimizer has none.
        UnsupportedError: groups that part what the framework holds as one.
    """
    for group in groups:
        names = [*(name for names in parameters for name in names), *frozen]
        if not any(fnmatchcase(name, group.pattern) for name in names):
            raise ValueError(
                f"ParameterGroup: the pattern must fit the name of a parameter; got "
                f"{group.pattern!r}, and the names are {', '.join(names[:8])}"
                f"{', …' if len(names) > 8 else ''}: write * for what varies"
            )
        if group.weight_decay is not None and not hasattr(optimizer, "weight_decay"):
            raise ValueError(
                f"ParameterGroup: weight_decay must be for an optimizer that has it; got "
                f"weight_decay={group.weight_decay} and a {type(optimizer).__name__}: leave it out"
            )
    return [_setting(names, groups) for names in parameters] if groups else []


def _setting(names: Sequence[str], groups: Sequence[ParameterGroup]) -> Setting:
    found = {
        next((group for group in groups if fnmatchcase(name, group.pattern)), None)
        for name in names
    }
    if len(found) > 1:
        raise UnsupportedError(
            "ParameterGroup: what the framework holds as one parameter must be in one group; got "
            f"{', '.join(names)} in several: write a pattern that fits all of them"
        )
    (group,) = found
    if group is None:
        return Setting()
    decay = group.weight_decay
    return Setting(
        float(np.float32(group.learning_rate)), None if decay is None else float(np.float32(decay))
    )
