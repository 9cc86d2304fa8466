"""Boxes around what is seen."""

from __future__ import annotations

from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.detection import (
    BoxDecode,
    BoxOverlap,
    BoxSuppression,
    RoiAlign,
)
from unified_blocks.porting.writing.pieces import Slot, call
from unified_blocks.porting.writing.pytorch.vocabulary import writes
from unified_blocks.porting.writing.words import Word


@writes(BoxDecode)
def box_decode(operation: BoxDecode, node: Node) -> Word:
    expression = call(
        "decoded",
        *node.inputs,
        scales=(operation.scales, (1.0, 1.0, 1.0, 1.0)),
        form=(operation.form, "center"),
        limit=(operation.limit, None),
    )
    return Word(expression=expression, needs=("as_centers", "decoded"))


@writes(BoxOverlap)
def box_overlap(operation: BoxOverlap, node: Node) -> Word:
    expression = call("overlaps", *node.inputs, form=(operation.form, "corner"))
    return Word(expression=expression, needs=("as_corners", "overlaps"))


@writes(BoxSuppression)
def box_suppression(operation: BoxSuppression, node: Node) -> Word:
    expression = call(
        "suppressed",
        *node.inputs,
        overlap=Slot(operation.overlap, "overlap"),
        least=Slot(operation.least, "least"),
        most=(operation.most, None),
        box=(operation.box, 2),
        score=(operation.score, 1),
        label=(None if operation.across else operation.label, None),
        form=(operation.form, "corner"),
        new_form=(operation.new_form, "corner"),
        background=(_background(operation), None),
    )
    return Word(expression=expression, needs=("as_centers", "as_corners", "overlaps", "suppressed"))


def _background(operation: BoxSuppression) -> tuple[int, int] | None:
    """Where the class is, and which is no thing."""
    if operation.background is None or operation.label is None:
        return None
    return operation.label, operation.background


@writes(RoiAlign)
def roi_align(operation: RoiAlign, node: Node) -> Word:
    expression = call(
        "aligned",
        *node.inputs,
        Slot(operation.size, "size"),
        Slot(operation.scale, "scale"),
        samples=(operation.samples, None),
        half_pixel=(operation.aligned, False),
    )
    return Word(expression=expression, needs=("shares", "aligned"))
