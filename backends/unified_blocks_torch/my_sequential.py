from __future__ import annotations

from torch import nn

import unified_blocks as ub


class MySequential(ub.MySequential, nn.Module):
    def __init__(self, *blocks):
        super().__init__()
        for block in blocks:
            self.add(block)

    def add(self, block):
        if not isinstance(block, nn.Module):
            raise TypeError(f"MySequential: a block must be a torch.nn.Module; got {block!r}")
        self.add_module(str(len(self)), block)
        return self

    def forward(self, X):
        for block in self:  # not children(): that skips a block used twice
            X = block(X)
        return X

    def __len__(self):
        return sum(1 for _ in self)

    def __iter__(self):
        return (block for name, block in self._modules.items() if name.isdecimal())

    def __getitem__(self, index):
        blocks = list(self)[index]
        return MySequential(*blocks) if isinstance(index, slice) else blocks
