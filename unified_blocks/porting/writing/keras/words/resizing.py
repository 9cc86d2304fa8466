"""Images of another size."""

from __future__ import annotations

from unified_blocks.porting.operations.resizing import Resize
from unified_blocks.porting.writing.keras.expressions import Call, call
from unified_blocks.porting.writing.keras.words.padding import short
from unified_blocks.porting.writing.keras.writer import Writing, last, writes


@writes(Resize, images=True)
def resize(w: Writing) -> None:
    operation: Resize = w.operation
    rank = w.inputs[0].rank - 2
    sizes = list(zip(w.inputs[0].shape[2:], operation.size, strict=True))
    if operation.mode == "nearest":
        if any(m % n for n, m in sizes) or rank > 3:
            raise w.refused(f"the nearest pixel for {sizes} is no layer of Keras")
        layer = w.layer(f"layers.UpSampling{rank}D", short([m // n for n, m in sizes]))
        return w.give(Call(layer, (w.image(),)), last(rank + 2))
    if rank != 2:
        raise w.refused(f"a linear change of size is for images of two axes; got {rank}")
    w.writer.words.add("resized")
    options = {"align_corners": True} if operation.align_corners else {}
    return w.give(call("resized", w.image(), operation.size, **options), last(4))
