"""`convert`: a block on another framework with the same numbers, compared on an example."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unified_blocks.backend.registry import resolve_name
from unified_blocks.backend.tensors import backend_of, to_numpy
from unified_blocks.block import Block
from unified_blocks.block.remaking import remake
from unified_blocks.errors import NotEquivalentError, UnsupportedError
from unified_blocks.layers.images import ImageLayer
from unified_blocks.layouts import layout_name
from unified_blocks.models.outputs import output_of, paired
from unified_blocks.models.transfer import transfer
from unified_blocks.models.variables import built_variables, device_of_variables
from unified_blocks.reference.policy import TOLERANCES, Deviation, deviation
from unified_blocks.types import Array


def convert(
    net: Block,
    backend: str,
    example: Any = None,
    *,
    layout: str | None = None,
    verify: bool = True,
    return_deviation: bool = False,
) -> Any:
    """The same block on another framework: made with the same arguments, with the same numbers.

    Frozen parameters are frozen there too. `net` stays as it is. The new block is on its
    framework's default device.

    Args:
        net: a built block of this library. For a native model, whose arguments were not recorded,
            make the other one by hand and use `ub.transfer`.
        backend: the name of a backend.
        example: an input to compare both blocks on, in inference: an array or a tensor, a tuple of
            them for several inputs. If omitted, the numbers are copied bit for bit, and the outputs
            are not compared.
        layout: `"channels_first"` or `"channels_last"`: where the new block has the channels of
            images; if omitted, where `net` has them. The example is in the layout of `net`: images
            are what has four or more axes, and what has three where `net` has layers over one axis.
        verify: False skips the comparison.
        return_deviation: whether to return as well how far the outputs are apart.

    Returns:
        The new block; with `return_deviation` a pair of it and a `Deviation`, None when nothing
        was compared.

    Raises:
        ValueError: for another layout.
        UnsupportedError: for a native model, or an argument that belongs to a framework.
        NotBuiltError: when a parameter does not exist yet.
        StateMismatchError: when the block was changed after it was made, so that its arguments no
            longer describe it.
        NotEquivalentError: (an `AssertionError`) when the outputs are further apart than the
            tolerance of their dtype; its `deviation` tells how far.

    Example::

        net, x = ub.build(ub.MLP(256, 10), (2, 20)), np.ones((2, 20), "float32")
        ub.convert(net, "torch", example=x)  # compared on x
        images = ub.build(ub.Conv2D(8, 3), (2, 3, 10, 10))
        ub.convert(images, "tensorflow", layout="channels_last")  # as Keras users have it
    """
    name = resolve_name(backend)
    wanted = None if layout is None else layout_name(layout)
    if not isinstance(net, Block):
        raise UnsupportedError(
            f"convert: a model must be a block of this library, which knows what it was made with; "
            f"got a {type(net).__module__}.{type(net).__qualname__}: make the other model by hand, "
            "and use ub.transfer(source, target)"
        )
    variables = built_variables(net, "convert")
    made = transfer(net, remake(net, name, wanted))
    frozen = {v.name for v in variables if v.role == "parameter" and not v.trainable}
    for variable in backend_of(made).variables(made):
        if variable.name in frozen:
            variable.freeze()
    found = None if example is None or not verify else outputs_apart(net, made, example)
    if found is not None and not found.ok:
        error = NotEquivalentError(
            f"convert: {type(net).__name__} on {backend_of(net).title} and on "
            f"{backend_of(made).title} must give the same output on the example; got outputs that "
            f"differ by up to {found.absolute:.3g}, {found.share:.3g} times what their dtype "
            "allows: is a forward written for one framework, or random in inference?"
        )
        error.deviation = found
        raise error
    return (made, found) if return_deviation else made


def outputs_apart(a: Any, b: Any, inputs: Any) -> Deviation:
    """How far the outputs of two models are apart, in inference; that of `a` is expected.

    Images are turned for `b` when it has their channels elsewhere. What of its output they are is
    told by the numbers: an output counts in the order in which it is closer.

    Raises:
        UnsupportedError: for outputs of a dtype that has no tolerance.
    """
    turn = turning(a, b)
    arrays = [np.asarray(to_numpy(x)) for x in (inputs if isinstance(inputs, tuple) else (inputs,))]
    expected = output_of(backend_of(a), _output(a, arrays), a)
    found = output_of(backend_of(b), _output(b, [turn(array) for array in arrays]), b)
    worst = Deviation()
    places = [[leaf.place for leaf in output.leaves] for output in (expected, found)]
    for i, j in paired(*places):
        if i is None or j is None:
            return Deviation(float("inf"), float("inf"))
        wanted, actual = expected.leaves[i], found.leaves[j]
        if wanted.dtype in TOLERANCES and actual.dtype == wanted.dtype:
            orders = (wanted.array, turn(wanted.array))
            worst = max(worst, min(deviation(actual.array, y, wanted.dtype) for y in orders))
        elif wanted.array.dtype.kind == "f" and actual.dtype == wanted.dtype:
            raise UnsupportedError(
                f"convert: outputs are compared in {' and '.join(TOLERANCES)}; got {wanted.dtype}: "
                "cast both blocks, or convert with verify=False"
            )
        elif actual.dtype != wanted.dtype or not np.array_equal(actual.array, wanted.array):
            worst = Deviation(float("inf"), float("inf"))
    return worst


def turning(a: Any, b: Any) -> Callable[[Array], Array]:
    """What turns an array for `a` into the same one for `b`: images, if their layouts differ."""
    layers = [[each for _, each in backend_of(net).layers(net)] for net in (a, b)]
    first, second = ([each for each in found if isinstance(each, ImageLayer)] for found in layers)
    if not first or not second or first[0].channels_last == second[0].channels_last:
        return lambda array: array
    source, target = (-1, 1) if first[0].channels_last else (1, -1)
    over_one = any(getattr(layer, "rank", None) == 1 for layer in first)

    def turn(array: Array) -> Array:
        is_image = array.ndim > 3 or (array.ndim == 3 and over_one)
        return np.moveaxis(array, source, target) if is_image else array

    return turn


def _output(net: Any, arrays: Sequence[Array]) -> Any:
    backend = backend_of(net)
    device = device_of_variables(backend.variables(net))
    tensors = [backend.from_numpy(np.asarray(array, order="C"), device) for array in arrays]
    return backend.run(net, tensors)
