"""`StepOptions`: what a training step does besides; `Clip` and `ParameterGroup` among that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from unified_blocks.backend.group import Group


def as_python(made: Any) -> None:
    """Let the numbers of a dataclass be Python's own: those of NumPy are none in a checkpoint."""
    for each in fields(made):
        if isinstance(number := getattr(made, each.name), np.generic):
            object.__setattr__(made, each.name, number.item())


@dataclass(frozen=True)
class Clip:
    """How gradients are kept small, before each update. Exactly one of the three is given.

    What needs no clipping keeps its bits, and nan stays nan.

    Args:
        value: c of `g = min(max(g, -c), c)`, of each number.
        norm: c of `g = g c / max(|g|, c)`, `|g|` the 2-norm of each parameter's gradient.
        global_norm: the same, `|g|` the 2-norm of all gradients as one vector.

    Raises:
        ValueError: none of them, or several; one that is not above 0.

    Example::

        x, y = np.ones((8, 3)), np.zeros((8, 2))
        net = ub.initialize(ub.Dense(2, in_units=3, dtype="float64"), 0)
        clip = ub.Clip(global_norm=1.0)
        history = ub.fit(net, x, y, loss="mse", optimizer=ub.SGD(0.1), epochs=3, clip=clip)
        len(history.loss)  # 3
    """

    value: float | None = None
    norm: float | None = None
    global_norm: float | None = None

    def __post_init__(self) -> None:
        as_python(self)
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        given = {name: bound for name, bound in given.items() if bound is not None}
        if len(given) != 1:
            raise ValueError(
                "Clip: exactly one of value, norm, global_norm must be given; got "
                f"{', '.join(given) or 'none'}: write ub.Clip(global_norm=1.0)"
            )
        ((name, bound),) = given.items()
        if not bound > 0:
            raise ValueError(f"Clip: {name} must be above 0; got {name}={bound}: leave clip out")

    def rounded(self) -> tuple[str, float]:
        """Which of the three is given, and it, rounded to float32 as an optimizer's numbers are."""
        names = [f.name for f in fields(self) if getattr(self, f.name) is not None]
        return names[0], float(np.float32(getattr(self, names[0])))


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that are updated in another way than the optimizer's.

    Args:
        pattern: their canonical names, as of a file: `"*.bias"`, `"encoder.*"`. Of several groups
            the first that fits counts.
        weight_decay: λ of the optimizer for them; its own if left out.
        learning_rate: a factor on the optimizer's, at least 0.

    Raises:
        ValueError: a number below 0.

    Example::

        x, y = np.ones((8, 3)), np.zeros((8, 2))
        net = ub.initialize(ub.Dense(2, in_units=3, dtype="float64"), 0)
        optimizer = ub.AdamW(weight_decay=0.1)
        groups = [ub.ParameterGroup("*bias", weight_decay=0.0)]
        history = ub.fit(net, x, y, loss="mse", optimizer=optimizer, epochs=3, groups=groups)
        len(history.loss)  # 3
    """

    pattern: str
    weight_decay: float | None = None
    learning_rate: float = 1.0

    def __post_init__(self) -> None:
        as_python(self)
        for name in ("weight_decay", "learning_rate"):
            number = getattr(self, name)
            if number is not None and not number >= 0:
                raise ValueError(f"ParameterGroup: {name} must be at least 0; got {name}={number}")


@dataclass(frozen=True)
class StepOptions:
    """What a training step does besides; the default is nothing.

    Attributes:
        watched: functions `f(output, y, w)` of tensors, whose scalars a step returns after the
            loss: means by the mass of the batch, which is its number of samples or, with weights,
            their sum. They are made of `ub.ops`, so that a graph can hold them.
        clip: how gradients are clipped.
        groups: parameters that are updated in another way.
        accumulate: how many batches there are to an update.
        average: d of the running average `e = d e + (1 - d) w` of the parameters.
        precision: `"bfloat16"` or `"float16"`, to compute in.
        scheduled: whether the learning rate comes with each update.
        weighted: whether weights of the samples come with each batch; see `TrainingStep.weigh`.
        group: who trains along; None when alone.
    """

    watched: tuple[Callable[..., Any], ...] = ()
    clip: Clip | None = None
    groups: tuple[ParameterGroup, ...] = ()
    accumulate: int = 1
    average: float | None = None
    precision: str | None = None
    scheduled: bool = False
    weighted: bool = False
    group: Group | None = None

    def __post_init__(self) -> None:
        as_python(self)
        if self.accumulate < 1:
            raise ValueError(f"accumulate must be at least 1; got accumulate={self.accumulate}")
        if self.average is not None and not 0 <= self.average < 1:
            raise ValueError(
                f"average must be in [0, 1); got average={self.average}: 0.999 is usual"
            )
        if self.precision not in (None, "bfloat16", "float16"):
            raise ValueError(
                "precision must be 'bfloat16', 'float16' or None; got "
                f"precision={self.precision!r}: write 'bfloat16'"
            )

    def given(self) -> dict[str, Any]:
        """Those that are not at their default."""
        values = {f.name: (getattr(self, f.name), f.default) for f in fields(self)}
        return {name: value for name, (value, default) in values.items() if value != default}


PLAIN = StepOptions()
"""A step that does nothing besides."""
