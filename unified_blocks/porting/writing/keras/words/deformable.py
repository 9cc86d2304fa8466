"""Convolutions whose windows see points that are computed, between pixels."""

from __future__ import annotations

from unified_blocks.porting.operations.deformable import DeformableConvolution
from unified_blocks.porting.writing.keras.expressions import call
from unified_blocks.porting.writing.keras.words.detection import told
from unified_blocks.porting.writing.keras.writer import Writing, plain, writes


@writes(DeformableConvolution)
def deformable(w: Writing) -> None:
    operation: DeformableConvolution = w.operation
    w.writer.words.add("deformed")
    options = told(
        strides=(operation.strides, (1, 1)),
        padding=(tuple(before for before, _ in operation.padding), (0, 0)),
        dilation=(operation.dilation, (1, 1)),
        groups=(operation.groups, 1),
        parts=(operation.parts, 1),
    )
    given = [w.plain_or_numbers(i) for i in range(len(w.inputs))]
    w.give(call("deformed", *given, **options), plain(4))
