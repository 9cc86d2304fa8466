from __future__ import annotations

from torch import nn

import unified_blocks as ub
from unified_blocks.block.attributes import layer_of
from unified_blocks_torch.bind import TorchBlock


@ub.MySequential.native("torch")
class MySequential(ub.MySequential, nn.Module):
    _only_blocks = False  # and no module under another name

    def __init__(self, *blocks):
        nn.Module.__init__(self)
        self._only_blocks = True
        for block in blocks:
            self.add(block)

    def add(self, block):
        number = len(self)
        while str(number) in self._modules:  # one before it was deleted
            number += 1
        self.add_module(str(number), layer_of(self, block))
        return self

    def forward(self, X):
        # Not children(), which would skip a block used twice; and a look at the name of each block
        # takes longer than all else around it.
        blocks = self._modules.values() if self._only_blocks else MySequential.__iter__(self)
        for block in blocks:
            X = block(X)  # type: ignore[misc]  # no block is None
        return X

    def add_module(self, name, module):
        nn.Module.add_module(self, name, module)
        self._only_blocks = self._only_blocks and name.isdecimal()

    def __setattr__(self, name, value):
        TorchBlock.__setattr__(self, name, value)
        if name in vars(self).get("_modules", ()) and not name.isdecimal():
            self._only_blocks = False

    def __len__(self):
        if self._only_blocks:
            return len(self._modules)  # at once: `add` asks for each block
        return sum(map(str.isdecimal, self._modules))

    def __iter__(self):
        return (block for name, block in self._modules.items() if name.isdecimal())

    def __getitem__(self, index):
        blocks = list(self)[index]
        return MySequential(*blocks) if isinstance(index, slice) else blocks
