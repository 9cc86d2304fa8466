"""Boxes around what is seen."""

from __future__ import annotations

from typing import Any

from unified_blocks.porting.operations.detection import (
    BoxDecode,
    BoxOverlap,
    BoxSuppression,
    RoiAlign,
)
from unified_blocks.porting.writing.keras.expressions import Call, call
from unified_blocks.porting.writing.keras.writer import Writing, last, plain, writes


def told(**options: tuple[Any, Any]) -> dict[str, Any]:
    """Options that are not their defaults."""
    return {name: value for name, (value, usual) in options.items() if value != usual}


@writes(BoxDecode)
def box_decode(w: Writing) -> None:
    operation: BoxDecode = w.operation
    w.writer.words |= {"as_centers", "decoded"}
    options = told(
        scales=(operation.scales, (1.0,) * 4),
        form=(operation.form, "center"),
        limit=(operation.limit, None),
    )
    given = (w.plain_or_numbers(0), w.plain_or_numbers(1))
    w.give(call("decoded", *given, **options), plain(w.node.output.rank))


@writes(BoxOverlap)
def box_overlap(w: Writing) -> None:
    first, second = w.inputs
    if first.rank != 2 or second.rank != 2:
        raise w.refused("overlaps must be of boxes (m, 4) and (n, 4)")
    w.writer.words |= {"as_corners", "overlaps"}
    options = told(form=(w.operation.form, "corner"))
    given = (w.plain_or_numbers(0), w.plain_or_numbers(1))
    w.give(call("overlaps", *given, **options), plain(2))


@writes(BoxSuppression)
def box_suppression(w: Writing) -> None:
    operation: BoxSuppression = w.operation
    w.writer.words |= {"as_corners", "as_centers", "overlaps", "BoxSuppression"}
    background = None
    if operation.background is not None and operation.label is not None:
        background = (operation.label, operation.background)
    options = told(
        most=(operation.most, None),
        box=(operation.box, 2),
        score=(operation.score, 1),
        label=(None if operation.across else operation.label, None),
        form=(operation.form, "corner"),
        new_form=(operation.new_form, "corner"),
        background=(background, None),
    )
    layer = w.layer("BoxSuppression", operation.overlap, operation.least, **options)
    w.give(Call(layer, (w.plain(),)), plain(w.node.output.rank))


@writes(RoiAlign, images=True)
def roi_align(w: Writing) -> None:
    operation: RoiAlign = w.operation
    if operation.samples is None:
        raise w.refused("as many points as a region has pixels are not known when a model is made")
    w.writer.words |= {"shares", "aligned"}
    options = told(half_pixel=(operation.aligned, False))
    given = (operation.size, operation.scale, operation.samples)
    w.give(call("aligned", w.image(), w.plain(1), *given, **options), last(4))
