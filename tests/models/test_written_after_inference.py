"""Numbers of a convolution that has been called are written like any others."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import HERE
from testbed.images import MAKE, X


@pytest.mark.parametrize("name", [name for name in MAKE if name in HERE])
def test_a_called_convolution_takes_numbers(name):
    """MXNet rearranges the weight of one that infers, and NumPy cannot write there any more."""
    net = MAKE[name]()
    backend = ub.backend_of(net)
    for step in range(2):
        before = backend.to_numpy(backend.run(net, [backend.from_numpy(X)]))
        numbers = {key: array + array.dtype.type(1) for key, array in ub.state(net).items()}
        ub.load_state(net, numbers)
        for key, array in ub.state(net).items():
            np.testing.assert_array_equal(array, numbers[key], err_msg=f"{key}, {step}")
        assert not np.allclose(before, backend.to_numpy(backend.run(net, [backend.from_numpy(X)])))
