"""The modes of a comparison: `ub.compare(mode=…)`, and the columns of the matrix."""

from __future__ import annotations

from typing import Literal, get_args

Mode = Literal["forward", "train", "gradient", "training", "compiled", "saved"]
MODES: tuple[Mode, ...] = get_args(Mode)
COMPARE_MODES: tuple[str, ...] = (*MODES, "parameters")
"""With the one that runs no model, and so has no column."""
