"""`value_and_grad`: the loss of a model and its gradients, the same on every framework."""

from __future__ import annotations

from typing import Any

import numpy as np

from unified_blocks.backend import Backend, Loss, Variable
from unified_blocks.backend.tensors import backend_of
from unified_blocks.errors import ForeignTensorError
from unified_blocks.models.variables import (
    all_built,
    built_variables,
    device_of_variables,
    in_numpy,
)
from unified_blocks.training.losses import check_targets
from unified_blocks.training.words import loss_meant
from unified_blocks.types import State

WRT = ("parameters", "inputs", "both")


def value_and_grad(
    net: Any,
    x: Any,
    y: Any = None,
    *,
    loss: Loss,
    wrt: str = "parameters",
    train: bool = False,
    strict: bool = True,
) -> tuple[float, State]:
    """The loss of `net` on a batch, and its gradients.

    Args:
        net: a model of any framework.
        x: a batch of inputs, a tensor of that framework or a NumPy array.
        y: the targets, when the loss takes any.
        loss: `"sum"` or `"mean"` of the output; `"mse"`, the mean of `(output - y)²`; `"l1"`,
            `"huber"` or `"binary_cross_entropy"` (of logits), which are those of `ub.ops`;
            `"cross_entropy"`, of logits `(n, classes)` and whole numbers `(n,)`, the mean over
            the batch; or a function of tensors, `loss(output)` or `loss(output, y)`, such as
            `functools.partial(ub.ops.cross_entropy, label_smoothing=0.1)`.
        wrt: with respect to `"parameters"`, `"inputs"` or `"both"`.
        train: whether the model runs in training mode; its own mode is restored.
        strict: False leaves out the gradients of Keras' own layers of kinds unknown here, and a
            warning names them.

    Returns:
        The loss, and the gradients by canonical name in canonical layout; the input's is `"x"`.
        A parameter that the output does not depend on has gradient zero; constants, and
        parameters that were frozen, have none. Gradients that the framework stores elsewhere are
        not touched.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
        ValueError: an unknown loss or `wrt`; targets for a loss without targets, or none for one
            that needs them.
        TypeError: another framework's tensor.
        UnsupportedError: for a dtype that NumPy lacks, or a layer of an unknown kind whose
            gradients are asked for.

    Example::

        net = ub.Dense(1)
        ub.load_state(net, {"weight": np.array([[2.0]], "float32"), "bias": np.zeros(1, "float32")})
        x, y = np.array([[3.0]], "float32"), np.array([[5.0]], "float32")
        loss, gradients = ub.value_and_grad(net, x, y, loss="mse")
        loss, gradients["weight"]  # (1.0, [[6.0]])
    """
    if wrt not in WRT:
        raise ValueError(f"wrt must be one of {', '.join(WRT)}; got wrt={wrt!r}")
    loss = loss_meant(loss)
    check_targets(loss, y)
    if wrt == "inputs":
        variables = all_built(net, "value_and_grad")
    else:
        variables = built_variables(net, "value_and_grad", strict)
    return gradients_of(net, variables, x, y, loss=loss, wrt=wrt, train=train)


def gradients_of(
    net: Any,
    variables: list[Variable],
    x: Any,
    y: Any = None,
    *,
    loss: Loss,
    wrt: str = "parameters",
    train: bool = False,
) -> tuple[float, State]:
    """`value_and_grad` of a model of which these variables are known."""
    backend = backend_of(net)
    device = device_of_variables(in_numpy(variables, "value_and_grad"))
    return backend.value_and_grad(
        net,
        native_batch(backend, x, device),
        None if y is None else native_batch(backend, y, device),
        loss,
        parameters=wrt != "inputs",
        inputs=wrt != "parameters",
        train=train,
    )


def native_batch(backend: Backend, batch: Any, device: str | None) -> Any:
    """`batch` itself or, when it is a NumPy array, a tensor of it on `device`.

    Raises:
        ForeignTensorError: (a `TypeError`) when it is neither.
    """
    if isinstance(batch, np.ndarray):
        return backend.from_numpy(np.asarray(batch, order="C"), device)
    if backend.is_tensor(batch):
        return batch
    tensor = backend.tensor_of(batch)
    if not backend.is_tensor(tensor):
        raise ForeignTensorError(
            f"a batch for a model of {backend.title} must be a NumPy array or a tensor of "
            f"{backend.title}; got {type(batch).__module__}.{type(batch).__qualname__}: convert "
            f"it with ub.as_tensor(x, {backend.name!r})"
        )
    return tensor
