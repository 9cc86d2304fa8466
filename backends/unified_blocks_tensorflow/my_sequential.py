from __future__ import annotations

import keras

import unified_blocks as ub
from unified_blocks.block.attributes import layer_of
from unified_blocks.errors import BlockBuiltError
from unified_blocks_tensorflow.policies import as_it_comes
from unified_blocks_tensorflow.turning import holding


@ub.MySequential.native("tensorflow")
class MySequential(ub.MySequential, keras.Model):
    def __init__(self, *blocks):
        keras.Model.__init__(self, **as_it_comes())  # each block casts to its own dtype
        self.blocks = []
        for block in blocks:
            self.add(block)

    def add(self, block):
        layer_of(self, block)
        if self.built:
            raise BlockBuiltError(
                "MySequential: Keras locks a model once it is built; add blocks before the first "
                f"call, or make ub.MySequential(*net, block); got {block!r}"
            )
        self.blocks.append(block)
        return self

    passes_images = True

    @holding
    def call(self, X, training=None):  # without it `fit` runs the blocks in inference
        for block in self.blocks:
            X = block(X)
        return X

    def __len__(self):
        return len(self.blocks)

    def __iter__(self):
        return iter(self.blocks)

    def __getitem__(self, index):
        blocks = self.blocks[index]
        return MySequential(*blocks) if isinstance(index, slice) else blocks
