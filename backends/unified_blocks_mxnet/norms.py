"""The normalisations of this library as Gluon blocks."""

from __future__ import annotations

import numpy as np

import unified_blocks as ub
from unified_blocks.layers.batch_norm import kept
from unified_blocks_mxnet.compat import nn


@ub.LayerNorm.native("mxnet")
class LayerNorm(ub.LayerNorm, nn.LayerNorm):
    def __init__(self, *, in_units=None, epsilon=1e-5, dtype=None):
        nn.LayerNorm.__init__(self, epsilon=float(np.float32(epsilon)), in_channels=in_units or 0)
        self.cast(dtype)


@ub.BatchNorm.native("mxnet")
class BatchNorm(ub.BatchNorm, nn.BatchNorm):
    def __init__(self, *, in_units=None, epsilon=1e-5, momentum=0.1, dtype=None):
        nn.BatchNorm.__init__(
            self,
            momentum=kept(momentum),
            epsilon=float(np.float32(epsilon)),
            in_channels=in_units or 0,
        )
        self.cast(dtype)
