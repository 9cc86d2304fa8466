"""Shares of a batch: in order, as even as it goes."""

import numpy as np
import pytest

from unified_blocks.training.workers.shares import shares


@pytest.mark.parametrize(
    ("rows", "size", "lengths"), [(8, 2, [4, 4]), (7, 3, [3, 2, 2]), (2, 4, [1, 1, 0, 0])]
)
def test_shares(rows, size, lengths):
    found = shares(np.arange(rows), size)
    assert [len(share) for share in found] == lengths
    np.testing.assert_array_equal(np.concatenate(found), np.arange(rows))
