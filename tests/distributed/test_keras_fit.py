"""Keras' own `fit` among workers: while it fails for everybody's models, `ub.fit` is the way."""

import pytest

from testbed.common import HERE
from testbed.launching import launch


@pytest.mark.skipif("tensorflow" not in HERE, reason="TensorFlow is not installed")
@pytest.mark.xfail(
    strict=True, reason="Keras 3.15: PerReplica is not converted", raises=AssertionError
)
def test_keras_fits_a_native_model_among_workers():
    launch("workers", 2, "keras_fit_workers.py", timeout=90)
