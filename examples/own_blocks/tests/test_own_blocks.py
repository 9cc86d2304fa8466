"""The block means the same on every framework, and the same as a model written by hand."""

import numpy as np
import pytest
from own_blocks import Gated

import unified_blocks as ub
from pytest_unified_blocks import BlockContract


class TestGated(BlockContract):
    input_shape = (3, 6)

    def make(self):
        return Gated(4)


def test_it_is_the_model_that_it_replaces(assert_equivalent):
    torch = pytest.importorskip("torch")

    class ByHand(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.gate, self.body = torch.nn.Linear(6, 4), torch.nn.Linear(6, 4)
            self.register_buffer("scale", torch.tensor(0.5))

        def forward(self, X):
            return self.scale * torch.sigmoid(self.gate(X)) * torch.tanh(self.body(X))

    by_hand = ByHand()
    ours = ub.transfer(by_hand, ub.build(Gated.on("torch")(4), (3, 6)))
    assert_equivalent(by_hand, ours, np.random.default_rng(0).normal(size=(3, 6)).astype("float32"))
