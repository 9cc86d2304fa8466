"""Curves over epochs, drawn by Matplotlib, which is an extra."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any


def draw(quantities: Mapping[str, Mapping[str, Sequence[float]]], axes: Any = None) -> list[Any]:
    """Draw the curves of each quantity on axes; see `History.plot`."""
    if axes is None:
        axes = new_axes(max(1, len(quantities)))
    found = list(axes) if isinstance(axes, Iterable) else [axes]
    if len(found) == 1:
        found *= max(1, len(quantities))
    if len(found) != max(1, len(quantities)):
        raise ValueError(
            f"plot: there must be one axes, or one for each of {', '.join(quantities)}; got "
            f"{len(found)}"
        )
    for ax, (quantity, curves) in zip(found, quantities.items(), strict=False):
        for name, values in curves.items():
            ax.plot(range(1, len(values) + 1), values, label=name.replace("_", " "))
        ax.set_xlabel("epoch")
        ax.set_ylabel(quantity.replace("_", " "))
        ax.legend()
    return found


def new_axes(count: int) -> list[Any]:
    """Axes side by side in a new figure.

    Raises:
        ImportError: without Matplotlib.
    """
    try:
        pyplot = import_module("matplotlib.pyplot")
    except ImportError as error:
        raise ImportError(
            "plot: Matplotlib must be installed to draw; got no module "
            f"{error.name!r}: pip install 'unified-blocks[plot]'"
        ) from error
    _, axes = pyplot.subplots(1, count, squeeze=False, layout="constrained")
    return list(axes[0])
