"""`compare`: whether two models are the same, and if not, where they differ first and why."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from unified_blocks.backend import Loss, Optimizer
from unified_blocks.backend.tensors import to_numpy
from unified_blocks.equivalence.comparing import Comparing
from unified_blocks.equivalence.comparison import Comparison
from unified_blocks.equivalence.layouts import Given
from unified_blocks.equivalence.learning import Learning
from unified_blocks.equivalence.modes import COMPARE_MODES
from unified_blocks.equivalence.sides import saved_and_loaded
from unified_blocks.models.transfer import Rename
from unified_blocks.reference.policy import own_tolerance
from unified_blocks.training.optimizers import SGD


def compare(
    a: Any,
    b: Any,
    inputs: Any = None,
    *,
    mode: str = "forward",
    targets: Any = None,
    loss: Loss | None = None,
    steps: int = 5,
    optimizer: Optimizer | None = None,
    rename: Rename | None = None,
    match: Literal["name", "order"] = "name",
    layouts: tuple[str, str] | None = None,
    inputs_b: Any = None,
    rtol: float | None = None,
    atol: float | None = None,
) -> Comparison:
    """Find the first place where two models differ and, if it is known, why.

    Of any two frameworks, made by this library or not. Parameters are compared first, then every
    call of every block inside, in execution order, by canonical name; a block used twice has the
    calls `dense#1` and `dense#2`. What a model gives in a dict is compared by key, in a named
    tuple or a dataclass by field. Parameters that one model holds otherwise, as one fused layer
    instead of three, are a remark: calls and outputs decide. A weight that one model holds
    transposed counts as the same where its calls take and give the same. So do numbers that differ
    where what one model alone holds beside them makes up for it, as a norm that is folded into the
    layer before it; `"gradient"`, `"training"` and `"parameters"` ask for the numbers, and show it.
    The numbers and the mode of both models stay as they are.

    Args:
        a: the model that is right.
        b: the model that is compared with it. It may be the same object, where `mode` says what is
            done to it.
        inputs: NumPy arrays or tensors; a tuple for a model of several inputs, a dict for inputs
            by name, or for a model that takes a dict. Floating-point ones get the dtype of each
            model. Not needed for `"parameters"`.
        mode: `"forward"`, in inference; `"train"`, one pass in training mode, after which running
            statistics are compared too; `"gradient"`, also every parameter's gradient and the
            input's; `"training"`, also the losses and the numbers of `steps` steps of training;
            `"compiled"`, `b` as its framework's graph (`torch.compile`, `tf.function`,
            `hybridize`); `"saved"`, `b` saved by `ub.save` and loaded anew; `"parameters"`, the
            numbers alone, one that a model lacks being a difference.
        targets: for the loss; of `"gradient"` and `"training"`.
        loss: as `value_and_grad` takes it; default: `"mse"` when there are targets, else the sum
            of the output times fixed random numbers, on which every output has an effect.
        steps: of training.
        optimizer: default: `ub.SGD(0.125, momentum=0.875)`.
        rename: `{name in a: name in b}` where they differ, of an array or of all below a path, or
            a function of a name in `a`: as `ub.transfer(a, b)` takes it.
        match: `"order"` pairs the layers that hold parameters by the order of their definition, as
            `ub.transfer(a, b)` does, and those without between them where they are as many.
        layouts: where each model has the channels of images, in what it takes and gives:
            `("NCHW", "NHWC")`, or `("channels_first", "channels_last")` for any number of axes.
            `inputs` are in the layout of `a`; those of `b` are made from them. Inside, channels
            may be elsewhere in one model whatever is said here.
        inputs_b: what `b` is given, where that cannot be made from `inputs`.
        rtol, atol: a tolerance of your own in place of the policy: `atol + rtol * |a|` is allowed
            of each element, as `numpy.testing.assert_allclose` has it. When one is given the other
            is 0. Numbers that were saved and loaded stay the same bit for bit.

    Returns:
        A `Comparison`: print it, ask `.ok`, `.first_difference`, or `.raise_if_different()`.

    Raises:
        NotBuiltError: when a parameter of a block of this library does not exist yet. Of a native
            model the inputs make it, as a first call does.
        InputError: for inputs by names that a model does not have, or images in a layout that it
            cannot take.
        StateMismatchError: (a `ValueError`) when layers do not pair by order.
        UnsupportedError: for gradients of several inputs, a graph of a model that cannot be one, a
            file of a model that this library did not make, or an output without a tensor.
        ValueError: for another mode, a name in `rename` that a model does not have, other layouts,
            or a tolerance that is not a finite number from 0.

    Example::

        a = ub.build(ub.MLP(256, 10), (2, 20))
        b = ub.convert(a, "torch")
        print(ub.compare(a, b, np.ones((2, 20), "float32")))
    """
    if mode not in COMPARE_MODES:
        raise ValueError(
            f"compare: mode must be one of {', '.join(COMPARE_MODES)}; got mode={mode!r}"
        )
    if inputs is None and mode != "parameters":
        raise ValueError(
            f"compare: to run the models there must be inputs; got none with mode={mode!r}: give "
            "an array that they take, or mode='parameters' to compare their numbers alone"
        )
    with own_tolerance(rtol, atol):
        given = Given.by(inputs, inputs_b, layouts)
        if mode == "saved":
            with saved_and_loaded(b) as loaded:
                return Comparing(a, loaded, given, mode, rename, match).forward()
        options = (a, b, given, mode, rename, match)
        if mode == "forward":
            return Comparing(*options).forward()
        if mode == "compiled":
            return Comparing(*options).compiled()
        if mode == "parameters":
            return Comparing(*options).numbers_alone()
        learning = Learning(*options)
        if mode == "train":
            return learning.train_pass()
        wanted = None if targets is None else np.asarray(to_numpy(targets, copy=True))
        return learning.learning(wanted, loss, steps, optimizer or SGD(0.125, momentum=0.875))


def assert_equivalent(a: Any, b: Any, inputs: Any = None, **options: Any) -> None:
    """Raise unless two models are equivalent; for tests.

    Args:
        a, b, inputs, options: as `compare` takes them.

    Raises:
        NotEquivalentError: (an `AssertionError`) with the table of all that was compared.

    Example::

        a, b = (ub.build(ub.MLP(256, 10), (2, 20)) for _ in range(2))
        x = np.ones((2, 20), "float32")
        ub.assert_equivalent(a, ub.transfer(a, b), x)  # they are
        try:
            ub.assert_equivalent(a, ub.initialize(b, seed=1), x)
        except ub.NotEquivalentError as error:
            print(error)  # a table, in which the first difference is marked
    """
    compare(a, b, inputs, **options).raise_if_different()
