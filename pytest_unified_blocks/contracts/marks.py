"""The marks that tests of several concerns carry."""

from __future__ import annotations

import pytest

from unified_blocks.equivalence.matrix.cases import CASES

dtypes = pytest.mark.parametrize("dtype", ["float64", "float32"])
cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
gradients = pytest.mark.capability("gradients")
