"""Counts what goes over the wire in an epoch: as JSON.

    python distributed_bytes.py BACKEND

`gradients` are the bytes of all gradients of a step, `sent` those that the engine adds up in the
epoch, `besides` what else is added up in it.
"""

import json
import sys

import numpy as np

import unified_blocks as ub
from testbed.where import ROOT

sys.path.append(str(ROOT))
from benchmarks.wire import counted

BACKEND = sys.argv[1]
ub.set_backend(BACKEND)
STEPS, SIZE = 4, 10


with ub.join() as group:
    net = ub.initialize(ub.MLP(7, 3, in_units=5), 1)
    trainer = ub.Trainer(net, ub.SGD(0.1, momentum=0.9), "cross_entropy", distributed=group)
    x = np.ones((STEPS * SIZE, 5), "float32")
    y = np.arange(STEPS * SIZE) % 3
    order = np.arange(STEPS * SIZE)
    step = trainer.training_step
    found = counted(BACKEND, step, lambda: trainer.epoch(x, y, order, SIZE), STEPS)
    found["gradients"] = sum(array.nbytes for array in ub.state(net).values())
    print(json.dumps(found), flush=True)
