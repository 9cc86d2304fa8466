from __future__ import annotations

import unified_blocks as ub
from unified_blocks_mxnet.compat import nn


class MySequential(ub.MySequential, nn.Block):
    def __init__(self, *blocks):
        super().__init__()
        for block in blocks:
            self.add(block)

    def add(self, block):
        if not isinstance(block, nn.Block):
            raise TypeError(f"MySequential: a block must be a gluon.Block; got {block!r}")
        self.register_child(block, str(len(self)))
        return self

    def forward(self, X):
        for block in self:
            X = block(X)
        return X

    def __len__(self):
        return sum(1 for _ in self)

    def __iter__(self):
        return (block for name, block in self._children.items() if name.isdecimal())

    def __getitem__(self, index):
        blocks = list(self)[index]
        return MySequential(*blocks) if isinstance(index, slice) else blocks

    def __repr__(self):
        blocks = [f"  ({i}): {block!r}".replace("\n", "\n  ") for i, block in enumerate(self)]
        return "\n".join([f"{type(self).__name__}(", *blocks, ")"])
