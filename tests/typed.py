"""Code as users write it, for the type checkers: `tox run -e type`."""

from typing import Any, assert_type

import numpy as np

import unified_blocks as ub

net = ub.MLP(64, 3, in_units=20)
assert_type(net, ub.MLP)
assert_type(ub.MLP.on("torch"), type[ub.MLP])
assert_type(ub.MLP.on("torch")(64, 3)(1), Any)
assert_type(ub.MySequential(net, ub.ReLU()).add(ub.Dense(10)), ub.MySequential)
value, gradients = ub.value_and_grad(net, np.ones((2, 20)), loss="sum")
assert_type(value, float)
array: np.ndarray[Any, Any] = gradients["x"]
history = ub.fit(net, array, array, loss="mse", optimizer=ub.SGD(0.1, momentum=0.9))
assert_type(history.loss, list[float])
for optimizer in (ub.AdamW(weight_decay=0.1), ub.RMSprop(rho=0.9), ub.Adagrad(0.1)):
    ub.Trainer(net, optimizer, "huber").step(array, array)

ub.MLP("wide")  # type: ignore[arg-type]
ub.MLP(units=3)  # type: ignore[call-arg]
ub.Dense()  # type: ignore[call-arg]
ub.FixedHiddenMLP(20, in_units=3)  # type: ignore[call-arg]
misspelt = ub.initialise  # type: ignore[attr-defined]
