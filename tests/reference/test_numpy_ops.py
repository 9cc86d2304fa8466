"""The formulas in NumPy, where their numbers are large."""

import numpy as np
import pytest

from unified_blocks.reference.numpy_ops import ACTIVATE


@pytest.mark.parametrize("name", [name for name in ACTIVATE if name is not None])
def test_large_numbers_neither_overflow_nor_are_nan(name):
    """As they do not in the frameworks. A warning of NumPy is an error here."""
    x = np.array([-1e4, -800.0, -30.0, -0.5, 0.0, 0.5, 30.0, 800.0, 1e4])
    found = ACTIVATE[name](x)
    assert np.isfinite(found).all()
    small = np.abs(x) < 100
    np.testing.assert_array_equal(found[small], ACTIVATE[name](x[small]))
    assert np.isfinite(ACTIVATE[name](x + 1e-20j)).all()
