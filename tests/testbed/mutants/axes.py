"""Checks of what goes along several axes."""

from __future__ import annotations

import numpy as np

import unified_blocks as ub
from testbed.common import normal


def norm_over_two_axes(backend_name):
    """A LayerNorm over two axes is as its reference, from its first input on."""
    with ub.use_dtype("float64"):
        net = ub.LayerNorm(axes=2)
    x = normal(3, 4, 5, dtype="float64")
    ub.build(net, x.shape)
    y = ub.to_numpy(net(ub.from_numpy(x, backend_name)))
    np.testing.assert_allclose(y, net.reference(ub.state(net), x), rtol=1e-9, atol=1e-9)


def dropped_together(backend_name):
    """What is dropped along axes is all the same there."""
    net = ub.Dropout(0.5, (2, 3))
    x = ub.from_numpy(np.ones((8, 6, 4, 5), "float32"), backend_name)
    y = ub.to_numpy(ub.backend_of(net).run(net, [x], train=True))
    assert (y == y[:, :, :1, :1]).all()
    assert len(np.unique(y)) == 2
