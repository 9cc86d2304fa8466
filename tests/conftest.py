"""What tests share. `pytest_unified_blocks` gives them `backend_name`, `backend` and `device`.

`pytest --backend=torch` runs on PyTorch alone, and fails when it is not there; `--device=cpu,gpu`
fails when a GPU is not. In the environments of tox a test fails when other frameworks are there
than those that `--backend` names.
"""

import os
import random
import sys

import numpy as np
import pytest

from testbed.common import DTYPES, make
from testbed.where import ROOT
from unified_blocks.equivalence.matrix.cases import CASES

sys.path.append(str(ROOT))  # for `benchmarks`; last, since what is installed is tested
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # read when TensorFlow is imported


@pytest.fixture(autouse=True)
def drawn_alike():
    """What a test does not seed is drawn alike each time: the first numbers of a layer, say.

    Masks of Keras' dropout are not: they come from a generator that lives as long as the process.
    """
    random.seed(0)  # Keras draws the seeds of its layers with it
    np.random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)
    if "tensorflow" in sys.modules:
        sys.modules["tensorflow"].random.set_seed(0)
    if "mxnet" in sys.modules:
        sys.modules["mxnet"].random.seed(0)


@pytest.fixture(autouse=True)
def without_numpy_semantics():
    """A test that sets MXNet to NumPy's, for its process, does so for itself alone."""
    yield
    mx = sys.modules.get("mxnet")
    if mx is not None and mx.util.is_np_array():
        mx.npx.reset_np()


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request):
    return request.param


@pytest.fixture(params=DTYPES)
def dtype(request):
    return request.param


@pytest.fixture
def built(case, backend_name, device, dtype):
    """The case's network, built, randomised, on the device."""
    return make(case, dtype, device)
