"""What goes over the wire: the gradients, and a number for each loss at the end of an epoch."""

import json

import pytest

from testbed.common import HERE
from testbed.launching import ENGINES, launch

STEPS = 4


@pytest.mark.parametrize("engine", ["torch", "workers", "mxnet"])
def test_a_step_adds_up_its_gradients_and_no_more(engine):
    if ENGINES[engine] not in HERE:
        pytest.skip(f"{ENGINES[engine]} is not installed")
    results = launch(engine, 2, "distributed_bytes.py", ENGINES[engine], timeout=120)
    for result in results:
        found = json.loads(result.out.splitlines()[-1])
        assert found["gradients"] == 4 * (7 * 5 + 7 + 3 * 7 + 3)
        assert found["sent"] == STEPS * found["gradients"]
        # MXNet sends the float64 of each worker in three parts.
        assert found["besides"] == STEPS * (2 * 3 * 4 if engine == "mxnet" else 8)
