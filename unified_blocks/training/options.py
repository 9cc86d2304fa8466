"""What is asked of a training step besides, checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unified_blocks.backend import PLAIN, Clip, ParameterGroup, StepOptions
from unified_blocks.training.words import check_count, shown


def options_of(
    *,
    metrics: tuple[Callable[..., Any], ...],
    scheduled: bool,
    clip: Any,
    accumulate: Any,
    groups: Any,
    precision: Any,
    average: Any,
) -> StepOptions:
    """The options that are meant; `PLAIN` when nothing is asked for.

    Raises:
        TypeError: an argument of another kind.
        ValueError: a number outside its range.
    """
    check_count("Trainer", "accumulate", accumulate)
    if clip is not None and not isinstance(clip, Clip):
        raise TypeError(
            f"Trainer: clip must be a ub.Clip; got {shown(clip)}: write ub.Clip(global_norm=1.0)"
        )
    groups = (groups,) if isinstance(groups, ParameterGroup) else groups
    if not isinstance(groups, Sequence) or any(not isinstance(g, ParameterGroup) for g in groups):
        raise TypeError(
            "Trainer: groups must be a list of ub.ParameterGroup; got "
            f"{shown(groups)}: write [ub.ParameterGroup('*.bias', weight_decay=0.0)]"
        )
    options = StepOptions(
        watched=metrics,
        clip=clip,
        groups=tuple(groups),
        accumulate=accumulate,
        average=average,
        precision=precision,
        scheduled=scheduled,
    )
    return options if options.given() else PLAIN
