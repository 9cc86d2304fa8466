"""Activations and other operations of neural networks."""

from __future__ import annotations

from typing import Any

from unified_blocks.ops.dispatch import floating, namespace_of
from unified_blocks.ops.reductions import axis_of


def relu(x: Any, /) -> Any:
    """`max(x, 0)`; its derivative at 0 is 0.

    Example::

        ub.ops.relu(ub.from_numpy([-2.0, 0.0, 3.0]))  # [0, 0, 3]
    """
    return namespace_of("relu", x).relu(x)


def leaky_relu(x: Any, /, *, negative_slope: float = 0.01) -> Any:
    """`x` where it is above 0, else `negative_slope · x` (0.01: Maas et al., 2013).

    Example::

        ub.ops.leaky_relu(ub.from_numpy([-2.0, 3.0]), negative_slope=0.1)  # [-0.2, 3.0]
    """
    return floating("leaky_relu", x).leaky_relu(x, negative_slope)


def elu(x: Any, /, *, alpha: float = 1.0) -> Any:
    """`x` where it is above 0, else `alpha (eˣ - 1)` (Clevert et al., 2015).

    Example::

        ub.ops.elu(ub.from_numpy([-1.0, 2.0]))  # [-0.632, 2]
    """
    return floating("elu", x).elu(x, alpha)


def selu(x: Any, /) -> Any:
    """`1.0507… · elu(x, alpha=1.6732…)` (Klambauer et al., 2017).

    Example::

        ub.ops.selu(ub.from_numpy([-1.0, 1.0]))  # [-1.111, 1.051]
    """
    return floating("selu", x).selu(x)


def gelu(x: Any, /, *, approximate: bool = False) -> Any:
    """`x Φ(x) = x (1 + erf(x/√2)) / 2`: exact, or `gelu_tanh` (Hendrycks and Gimpel, 2016).

    Example::

        ub.ops.gelu(ub.from_numpy([-1.0, 1.0]))  # [-0.1587, 0.8413]
    """
    return gelu_tanh(x) if approximate else floating("gelu", x).gelu(x)


def gelu_tanh(x: Any, /) -> Any:
    """`x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2`: GELU as GPT and BERT approximate it.

    Example::

        ub.ops.gelu_tanh(ub.from_numpy([-1.0, 1.0]))  # [-0.1588, 0.8412]
    """
    inner = 0.7978845608028654 * (x + 0.044715 * (x * x * x))
    return x * (1 + floating("gelu_tanh", x).tanh(inner)) / 2


def silu(x: Any, /) -> Any:
    """`x · sigmoid(x)`, also called swish.

    Example::

        ub.ops.silu(ub.from_numpy([-1.0, 1.0]))  # [-0.269, 0.731]
    """
    return floating("silu", x).silu(x)


def sigmoid(x: Any, /) -> Any:
    """`1 / (1 + e⁻ˣ)`.

    Example::

        ub.ops.sigmoid(ub.from_numpy([0.0, 2.0]))  # [0.5, 0.881]
    """
    return floating("sigmoid", x).sigmoid(x)


def hard_sigmoid(x: Any, /) -> Any:
    """`min(max(x + 3, 0), 6) / 6`, as PyTorch and Keras 3 have it (Gluon's is `0.2 x + 0.5`).

    Example::

        ub.ops.hard_sigmoid(ub.from_numpy([-4.0, 0.0, 1.0]))  # [0, 0.5, 0.667]
    """
    return floating("hard_sigmoid", x).hard_sigmoid(x)


def tanh(x: Any, /) -> Any:
    """The hyperbolic tangent.

    Example::

        ub.ops.tanh(ub.from_numpy([0.0, 1.0]))  # [0, 0.762]
    """
    return floating("tanh", x).tanh(x)


def softplus(x: Any, /) -> Any:
    """`log(1 + eˣ)`, without overflow.

    Example::

        ub.ops.softplus(ub.from_numpy([0.0, 1000.0]))  # [0.693, 1000]
    """
    return floating("softplus", x).softplus(x)


def softsign(x: Any, /) -> Any:
    """`x / (1 + |x|)`.

    Example::

        ub.ops.softsign(ub.from_numpy([-1.0, 3.0]))  # [-0.5, 0.75]
    """
    return floating("softsign", x).softsign(x)


def relu6(x: Any, /) -> Any:
    """`min(max(x, 0), 6)`; its derivative at 0 and at 6 is 0 (Krizhevsky, 2010).

    Example::

        ub.ops.relu6(ub.from_numpy([-1.0, 3.0, 8.0]))  # [0, 3, 6]
    """
    namespace = floating("relu6", x)
    return namespace.where(x < 6, namespace.relu(x), 6)


def hard_swish(x: Any, /) -> Any:
    """`x · hard_sigmoid(x)` (Howard et al., 2019).

    Example::

        ub.ops.hard_swish(ub.from_numpy([-4.0, 1.0, 4.0]))  # [0, 0.667, 4]
    """
    return x * floating("hard_swish", x).hard_sigmoid(x)


def mish(x: Any, /) -> Any:
    """`x · tanh(log(1 + eˣ))` (Misra, 2019).

    Example::

        ub.ops.mish(ub.from_numpy([-1.0, 1.0]))  # [-0.303, 0.865]
    """
    namespace = floating("mish", x)
    return x * namespace.tanh(namespace.softplus(x))


def prelu(x: Any, weight: Any, /) -> Any:
    """`x` where it is above 0, else `weight · x` (He et al., 2015); the weight broadcasts.

    In a block use the layer `ub.PReLU`, which knows where the channels are.

    Example::

        ub.ops.prelu(ub.from_numpy([-2.0, 3.0]), ub.from_numpy([0.25]))  # [-0.5, 3]
    """
    return floating("prelu", x).where(x > 0, x, weight * x)


def softmax(x: Any, /, *, axis: int = -1) -> Any:
    """`eˣ / Σ eˣ` along an axis.

    Example::

        ub.ops.softmax(ub.from_numpy([[0.0, 0.0], [0.0, 1.0]]))  # [[0.5, 0.5], [0.269, 0.731]]
    """
    return floating("softmax", x).softmax(x, axis_of("softmax", x, axis))


def log_softmax(x: Any, /, *, axis: int = -1) -> Any:
    """`x - log Σ eˣ` along an axis.

    Example::

        ub.ops.log_softmax(ub.from_numpy([0.0, 1.0]))  # [-1.313, -0.313]
    """
    return floating("log_softmax", x).log_softmax(x, axis_of("log_softmax", x, axis))


def dropout(x: Any, rate: float, /, *, training: bool) -> Any:
    """In training each element is 0 with probability `rate`, and else `x / (1 - rate)`.

    In a block use the layer `ub.Dropout`, which knows by itself whether the block is training.

    Raises:
        ValueError: a rate outside [0, 1).

    Example::

        x = ub.from_numpy([1.0, 2.0])
        ub.ops.dropout(x, 0.5, training=False)  # [1, 2]
        ub.ops.dropout(x, 0.5, training=True)  # each number 0, or twice as large
    """
    if not 0 <= rate < 1:
        raise ValueError(f"ops.dropout: rate must be in [0, 1); got rate={rate}")
    namespace = floating("dropout", x)
    return namespace.dropout(x, rate) if training and rate > 0 else x
