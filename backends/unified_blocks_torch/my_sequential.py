from __future__ import annotations

from torch import nn

import unified_blocks as ub
from unified_blocks.attributes import layer_of


@ub.MySequential.native("torch")
class MySequential(ub.MySequential, nn.Module):
    def __init__(self, *blocks):
        nn.Module.__init__(self)
        for block in blocks:
            self.add(block)

    def add(self, block):
        self.add_module(str(len(self)), layer_of(self, block))
        return self

    def forward(self, X):
        for name, block in self._modules.items():  # children() would skip a block used twice
            if name.isdecimal():
                X = block(X)  # type: ignore[misc]  # no block is None
        return X

    def __len__(self):
        return sum(1 for _ in self)

    def __iter__(self):
        return (block for name, block in self._modules.items() if name.isdecimal())

    def __getitem__(self, index):
        blocks = list(self)[index]
        return MySequential(*blocks) if isinstance(index, slice) else blocks
