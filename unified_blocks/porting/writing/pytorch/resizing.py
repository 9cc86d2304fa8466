"""Images of another size."""

from __future__ import annotations

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.resizing import Resize
from unified_blocks.porting.writing.pieces import Slot, call
from unified_blocks.porting.writing.pytorch.vocabulary import short, writes
from unified_blocks.porting.writing.words import Word

LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


@writes(Resize)
def resize(operation: Resize, node: Node) -> Word:
    (x,) = node.inputs
    rank = x.rank - 2
    if rank not in LINEAR:
        raise UnsupportedError(f"PyTorch resizes along at most three axes; got {rank}")
    sizes = list(zip(x.shape[2:], operation.size, strict=True))
    times = {m // n for n, m in sizes if m % n == 0}
    if len(times) == 1 and all(m % n == 0 for n, m in sizes):  # for images of each size
        how = {"scale_factor": Slot(times.pop(), "scale_factor")}
    else:
        how = {"size": Slot(short(operation.size), "size")}
    mode = LINEAR[rank] if operation.mode == "linear" else "nearest"
    options = {
        "mode": (mode, "nearest"),
        "align_corners": (operation.align_corners or None, None),
    }
    return Word(
        call("nn.Upsample", **how, **options),
        expression=call("F.interpolate", x, **how, **options),
    )
