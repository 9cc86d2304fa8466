"""Activations as layers: `Activation` by name, and a class for each."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from unified_blocks import ops
from unified_blocks.block import Block, argument
from unified_blocks.block.arguments import declared
from unified_blocks.block.rules import ACTIVATIONS
from unified_blocks.layers.axes import Axis
from unified_blocks.layers.images import ImageLayer, over_space
from unified_blocks.reference.numpy_ops import ACTIVATE, softmax
from unified_blocks.types import Array, State


class Activation(Block):
    """An elementwise activation by its name: `ops.<activation>(X)`.

    Args:
        activation: `"relu"`, `"leaky_relu"`, `"elu"`, `"selu"`, `"gelu"`, `"silu"`, `"sigmoid"`,
            `"hard_sigmoid"`, `"tanh"`, `"softplus"`, `"softsign"`, `"relu6"`, `"hard_swish"`,
            `"mish"` or `"gelu_tanh"`; formulas in `ub.ops`.

    Shape:
        Input `(*)`, output the same.

    Raises:
        ValueError: another name.

    Example::

        ub.Activation("leaky_relu")(ub.from_numpy([-2.0, 0.0, 3.0]))  # [-0.02, 0, 3]
    """

    def __init__(self, activation: str) -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"Activation: activation must be one of {', '.join(ACTIVATIONS)}; "
                f"got activation={activation!r}"
            )
        self.activation = activation

    def forward(self, X: Any) -> Any:
        return getattr(ops, self.activation)(X)

    def reference(self, state: State, X: Array) -> Array:
        return ACTIVATE[self.activation](X)


class Elementwise(Block):
    """Base of the activations that have their own class; input `(*)`, output the same."""

    operation: ClassVar[str]

    def forward(self, X: Any) -> Any:
        return getattr(ops, self.operation)(X)

    def reference(self, state: State, X: Array) -> Array:
        return ACTIVATE[self.operation](X)


class ReLU(Elementwise):
    """The rectified linear unit, `max(X, 0)`; its derivative at 0 is 0.

    Example::

        ub.ReLU()(ub.from_numpy([-2.0, 0.0, 3.0]))  # [0, 0, 3]
    """

    operation = "relu"


class LeakyReLU(Elementwise):
    """`X` where it is above 0, else `0.01 X`.

    Example::

        ub.LeakyReLU()(ub.from_numpy([-2.0, 3.0]))  # [-0.02, 3]
    """

    operation = "leaky_relu"


class ELU(Elementwise):
    """`X` where it is above 0, else `exp(X) - 1`.

    Example::

        ub.ELU()(ub.from_numpy([-1.0, 2.0]))  # [-0.632, 2]
    """

    operation = "elu"


class SELU(Elementwise):
    """The self-normalising ELU, `ops.selu`.

    Example::

        ub.SELU()(ub.from_numpy([-1.0, 1.0]))  # [-1.111, 1.051]
    """

    operation = "selu"


class GELU(Block):
    """`X Φ(X)`, by the error function, or approximately by tanh.

    Args:
        approximate: whether by tanh: `ops.gelu_tanh`, as GPT and BERT have it. Default False, as
            PyTorch, Keras and Gluon.

    Shape:
        Input `(*)`, output the same.

    Example::

        ub.GELU()(ub.from_numpy([-1.0, 1.0]))  # [-0.1587, 0.8413]
        ub.GELU(approximate=True)(ub.from_numpy([-1.0, 1.0]))  # [-0.1588, 0.8412]
    """

    def __init__(self, approximate: bool = False) -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, X: Any) -> Any:
        return ops.gelu(X, approximate=self.approximate)

    def reference(self, state: State, X: Array) -> Array:
        return ACTIVATE["gelu_tanh" if argument(self, "approximate") else "gelu"](X)


class SiLU(Elementwise):
    """`X · sigmoid(X)`, also called swish.

    Example::

        ub.SiLU()(ub.from_numpy([-1.0, 1.0]))  # [-0.269, 0.731]
    """

    operation = "silu"


class Sigmoid(Elementwise):
    """`1 / (1 + exp(-X))`.

    Example::

        ub.Sigmoid()(ub.from_numpy([0.0, 2.0]))  # [0.5, 0.881]
    """

    operation = "sigmoid"


class HardSigmoid(Elementwise):
    """`min(max(X + 3, 0), 6) / 6`.

    Example::

        ub.HardSigmoid()(ub.from_numpy([-4.0, 0.0, 1.0]))  # [0, 0.5, 0.667]
    """

    operation = "hard_sigmoid"


class Tanh(Elementwise):
    """The hyperbolic tangent.

    Example::

        ub.Tanh()(ub.from_numpy([0.0, 1.0]))  # [0, 0.762]
    """

    operation = "tanh"


class Softplus(Elementwise):
    """`log(1 + exp(X))`.

    Example::

        ub.Softplus()(ub.from_numpy([0.0, 1000.0]))  # [0.693, 1000]
    """

    operation = "softplus"


class Softsign(Elementwise):
    """`X / (1 + |X|)`.

    Example::

        ub.Softsign()(ub.from_numpy([-1.0, 3.0]))  # [-0.5, 0.75]
    """

    operation = "softsign"


class ReLU6(Elementwise):
    """`min(max(X, 0), 6)`; its derivative at 0 and at 6 is 0.

    Example::

        ub.ReLU6()(ub.from_numpy([-1.0, 3.0, 8.0]))  # [0, 3, 6]
    """

    operation = "relu6"


class HardSwish(Elementwise):
    """`X · min(max(X + 3, 0), 6) / 6`.

    Example::

        ub.HardSwish()(ub.from_numpy([-4.0, 1.0, 4.0]))  # [0, 0.667, 4]
    """

    operation = "hard_swish"


class Mish(Elementwise):
    """`X · tanh(log(1 + exp(X)))`.

    Example::

        ub.Mish()(ub.from_numpy([-1.0, 1.0]))  # [-0.303, 0.865]
    """

    operation = "mish"


class PReLU(ImageLayer):
    """`X` where it is above 0, else `weight · X`, which is learned.

    Args:
        num_parameters: 1, or the number of channels: one weight for all, or one for each.
        layout: `"channels_first"` or `"channels_last"`; default: that of `use_layout`, or the
            first.
        dtype: floating-point type; default: that of `use_dtype`, or float32.

    Shape:
        Input `(n, c, *)`, output the same; in the layout `"channels_last"` `(n, *, c)`.

    Parameters (canonical name, initial value):
        `weight`: `(num_parameters,)`, 0.25, as PyTorch and Gluon (0 in Keras, which has one for
        each number of a sample unless axes are shared).

    Source:
        He et al., "Delving Deep into Rectifiers", 2015.

    Example::

        layer = ub.PReLU()
        layer(ub.from_numpy(np.array([[-2.0, 3.0]], "float32")))  # [[-0.5, 3.0]]
        ub.state(layer)["weight"]  # [0.25]
    """

    @declared
    def __init__(
        self, num_parameters: int = 1, *, layout: str | None = None, dtype: Any = None
    ) -> None: ...

    def of_channels_first(self, state: State, X: Array) -> Array:
        return np.where(np.real(X) > 0, X, over_space(state["weight"], X.ndim - 2) * X)


class AlongAxis(Block):
    """Base of the layers along one axis; input `(*)`, output the same."""

    def __init__(self, axis: int | str = -1) -> None:
        super().__init__()
        self.along = Axis.of(type(self).__name__, axis)

    def axis_in(self, X: Any) -> int:
        """The number of the axis among those of `X`."""
        return self.along.among(type(self).__name__, X)


class Softmax(AlongAxis):
    """`exp(X) / Σ exp(X)` along an axis.

    Args:
        axis: a number, default the last, or `"channels"`. In the layout `"channels_last"` a number
            is still that of an axis of `(n, c, *space)`, for inputs of four axes or more.

    Shape:
        Input `(*)`, output the same.

    Example::

        ub.Softmax()(ub.from_numpy([[0.0, 0.0], [0.0, 1.0]]))  # [[0.5, 0.5], [0.269, 0.731]]
        ub.Softmax("channels")(ub.from_numpy(np.zeros((1, 4, 2, 2))))  # (1, 4, 2, 2)
    """

    def forward(self, X: Any) -> Any:
        return ops.softmax(X, axis=self.axis_in(X))

    def reference(self, state: State, X: Array) -> Array:
        return softmax(X, self.axis_in(X))


class LogSoftmax(AlongAxis):
    """`X - log Σ exp(X)` along an axis.

    Args:
        axis: as `Softmax` takes it.

    Shape:
        Input `(*)`, output the same.

    Example::

        ub.LogSoftmax()(ub.from_numpy([[0.0, 1.0]]))  # [[-1.313, -0.313]]
    """

    def forward(self, X: Any) -> Any:
        return ops.log_softmax(X, axis=self.axis_in(X))

    def reference(self, state: State, X: Array) -> Array:
        return np.log(softmax(X, self.axis_in(X)))
