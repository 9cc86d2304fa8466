"""The page of two models that were compared."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np

from unified_blocks.report.figures import shares
from unified_blocks.report.page import page
from unified_blocks.report.words import count
from unified_blocks.version import __version__


def comparison_page(comparison: Any) -> str:
    """The page of a `Comparison`: see `Comparison.to_html`.

    Returns:
        HTML. Nothing in it needs a network.
    """
    first = comparison.first_difference
    extent = f"{count(len(comparison.rows), 'array')} compared."
    ids = [f"row-{i}" for i in range(len(comparison.rows))]
    made_with = {
        "unified-blocks": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
    }
    return page(
        "comparison.html",
        {"shares": shares(comparison.rows, ids)},
        answer="The same" if first is None else "Not the same",
        extent=extent if first is None else f"They part in the {first} {extent}",
        comparison=comparison,
        first=None if first is None else first.row,
        ids=ids,
        made_with=made_with,
    )
