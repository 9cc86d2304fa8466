"""What the suite holds `ub.compile` to: a graph gives what the model gives."""

import numpy as np

import unified_blocks as ub
from unified_blocks.compiling.models import rows
from unified_blocks.models.outputs import tensor_leaves


class Nothing(ub.Block):
    def __init__(self):
        super().__init__()
        self.dense = ub.Dense(3)

    def forward(self, X):
        self.dense(X)


def a_model_must_give_a_tensor(backend_name):
    net = ub.build(Nothing(), (4, 5))
    try:
        ub.compile(net, np.ones((4, 5), "float32"))
    except ub.UnsupportedError:
        return
    raise AssertionError("it was compiled")


def outputs_are_paired_by_key(backend_name):
    backend = ub.get_backend()
    start, end = (backend.from_numpy(np.full(3, n)) for n in (1.0, 2.0))
    first, other, wrong = (
        tensor_leaves(backend, given)
        for given in (
            {"start": start, "end": end},
            {"end": end, "start": start},
            {"end": start, "start": end},
        )
    )
    assert all(row.ok for row in rows(first, other))
    assert not any(row.ok for row in rows(first, wrong))
