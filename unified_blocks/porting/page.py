"""The page of a port: what was proved, layer by layer, and what each array is called now."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np

from unified_blocks.porting.proof import Proof
from unified_blocks.report.figures import errors
from unified_blocks.report.page import page
from unified_blocks.report.words import count
from unified_blocks.version import __version__


def port_page(port: Any, proof: Proof | None) -> str:
    """The page of a `Port`: see `Port.to_html`.

    Args:
        port: it.
        proof: of it; None where there is to be none.

    Returns:
        HTML. Nothing in it needs a network.
    """
    rows = () if proof is None else proof.rows
    ids = [f"row-{i}" for i in range(len(rows))]
    judges = () if proof is None else proof.judges
    found = {
        judge: [next((j.error for j in row.judged if j.judge == judge), None) for row in rows]
        for judge in judges
    }
    names = [row.layer for row in rows]
    figure = errors(found, [row.tolerance for row in rows], names, ids)
    shapes = {name: tuple(np.shape(array)) for name, array in port.state.items()}
    return page(
        "port.html",
        {"errors": figure} if rows else {},
        port=port,
        proof=proof,
        answer=answer(proof),
        extent=f"{count(len(port.source.splitlines()), 'line')} of source, "
        f"{count(len(port.state), 'array')}, "
        f"{count(sum(array.size for array in port.state.values()), 'number')}.",
        found=found,
        rows=rows,
        ids=ids,
        shapes=shapes,
        made_with=made_with(proof),
    )


def answer(proof: Proof | None) -> str:
    """The verdict in a few words."""
    if proof is None or not proof.rows:
        return "Not proved"
    return "The same" if proof.ok else "Not the same"


def made_with(proof: Proof | None) -> dict[str, str]:
    """The versions of what the page and the proof were made with."""
    found = {
        "unified-blocks": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
    }
    if proof is not None and proof.rows:
        found["judges"] = ", ".join(proof.judges)
        found |= dict(proof.versions)
    return found
