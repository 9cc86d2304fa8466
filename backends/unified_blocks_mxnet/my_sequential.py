from __future__ import annotations

import unified_blocks as ub
from unified_blocks.block.attributes import layer_of
from unified_blocks_mxnet.compat import nn


@ub.MySequential.native("mxnet")
class MySequential(ub.MySequential, nn.HybridBlock):
    def __init__(self, *blocks):
        nn.HybridBlock.__init__(self)
        for block in blocks:
            self.add(block)

    def add(self, block):
        number = len(self)
        while str(number) in self._children:  # one before it was deleted
            number += 1
        self.register_child(layer_of(self, block), str(number))
        return self

    def hybrid_forward(self, F, X):
        for name, block in self._children.items():
            if name.isdecimal():
                X = block(X)
        return X

    def __len__(self):
        return sum(map(str.isdecimal, self._children))

    def __iter__(self):
        return (block for name, block in self._children.items() if name.isdecimal())

    def __getitem__(self, index):
        blocks = list(self)[index]
        return MySequential(*blocks) if isinstance(index, slice) else blocks

    def __repr__(self):
        blocks = [f"  ({i}): {block!r}".replace("\n", "\n  ") for i, block in enumerate(self)]
        return "\n".join([f"{type(self).__name__}(", *blocks, ")"])
