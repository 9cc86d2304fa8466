"""`initialize`: the same seed gives the same network on every framework."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from unified_blocks.backend import Backend, Variable
from unified_blocks.backend.drawing import draw
from unified_blocks.backend.tensors import backend_of
from unified_blocks.layers.embedding import Embedding
from unified_blocks.models.variables import readable_variables
from unified_blocks.types import Array

if TYPE_CHECKING:  # it names numpy.random
    from unified_blocks.backend.drawing import Draw


def initialize(net: Any, seed: int = 0, scheme: str = "glorot_uniform") -> Any:
    """Draw new values for every parameter, and for every constant that is drawn at random.

    All are drawn from one `numpy.random.Generator(PCG64(seed))`, sorted by canonical name, in
    float64, and then cast. A constant with a given value keeps it.

    Args:
        net: a model of any framework.
        seed: of the generator.
        scheme: how to draw a weight with `fan_in` inputs and `fan_out` outputs. Biases are zero
            unless the scheme says otherwise; the weight of a normalisation is one, that of a
            `PReLU` 0.25, or 0 by `"keras_default"`.

            - `"glorot_uniform"`: U(±√(6 / (fan_in + fan_out))) (Glorot and Bengio, 2010)
            - `"he_uniform"`: U(±√(6 / fan_in)) (He et al., 2015)
            - `"torch_default"`: U(±1/√fan_in), biases too: what `nn.Linear` draws
            - `"keras_default"`: as `glorot_uniform`: what `keras.layers.Dense` draws
            - `"gluon_default"`: U(±0.07): what Gluon's `initialize()` draws

            The weights of a recurrent layer are matrices like any other, `(gates · units, …)`: that
            is their `fan_out`. By `"torch_default"` all its parameters are U(±1/√units), and by
            `"keras_default"` `weight_hh` has orthonormal columns, and `bias_ih` is 1 for the
            forget gate of an LSTM: each is what the framework's own layer draws.

    Returns:
        `net` itself.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
        ValueError: an unknown scheme, or a parameter that no rule fits; nothing is changed.

    Example::

        net = ub.initialize(ub.build(ub.Dense(2), (2, 3)), seed=0)
        ub.state(net)["weight"]  # the same numbers on every framework
    """
    if scheme not in SCHEMES:
        raise ValueError(f"scheme must be one of {', '.join(SCHEMES)}; got scheme={scheme!r}")
    variables = {v.name: v for v in readable_variables(net, "initialize")}
    backend = backend_of(net)
    generator = np.random.Generator(np.random.PCG64(seed))
    drawn = {}
    for name in sorted(variables):
        draw = _rule(variables[name], variables, scheme, backend)
        if draw is not None:
            variable = variables[name]
            drawn[name] = draw(generator, _sizes(variable)).astype(variable.dtype)
    for name, variable in variables.items():  # in their order: two may be parts of one of Keras
        if name in drawn:
            variable.write(drawn[name])
    return net


def _rule(
    variable: Variable, variables: dict[str, Variable], scheme: str, backend: Backend
) -> Draw | None:
    """How to draw `variable`; None when it keeps its value."""
    path, _, attribute = variable.name.rpartition(".")
    if variable.role == "constant":
        random = getattr(variable.owner, "random_constants", {})
        return draw(random[attribute]) if attribute in random else None
    if attribute == "weight" and isinstance(variable.owner, Embedding) and scheme in EMBEDDING:
        return EMBEDDING[scheme]
    kind = backend.kind_of(variable.owner)
    is_norm = kind.endswith("Norm")
    if attribute == "weight" and kind == "PReLU":
        return lambda g, shape: np.full(shape, 0.0 if scheme == "keras_default" else 0.25)
    if attribute == "weight" and (is_norm or len(_sizes(variable)) == 1):
        return lambda g, shape: np.ones(shape)
    if attribute == "bias":
        weight = variables.get(f"{path}.weight" if path else "weight")
        of_matrix = weight is not None and len(_sizes(weight)) > 1 and not is_norm
        if scheme == "torch_default" and weight is not None and of_matrix:
            return _uniform(1 / math.sqrt(_fans(weight)[0]))
        return lambda g, shape: np.zeros(shape)
    if attribute == "weight" or attribute in PACKED_WEIGHTS:
        return _uniform(SCHEMES[scheme](*_fans(variable)))
    if found := RECURRENT.fullmatch(attribute):
        start = variable.name.removesuffix(attribute)
        matrices = (variables.get(f"{start}weight_{of}{found[2]}") for of in ("hr", "hh"))
        units = next((_sizes(matrix)[1] for matrix in matrices if matrix is not None), None)
        if units is not None:
            return _rule_of_recurrent(variable, found[1], units, scheme)
    if attribute == "in_proj_bias":
        return lambda g, shape: np.zeros(shape)
    raise ValueError(
        "initialize: a parameter must be a weight or a bias; got "
        f"{variable.name} of shape {variable.shape}: set it with ub.load_state"
    )


RECURRENT = re.compile(r"((?:weight|bias)_(?:ih|hh)|weight_hr)((?:_l\d+)?(?:_reverse)?)")
"""The parameters of a recurrent layer: what each is, and the layer and direction that it is of."""


def _rule_of_recurrent(variable: Variable, part: str, units: int, scheme: str) -> Draw:
    """How to draw a parameter of a recurrent layer or cell."""
    if scheme == "torch_default":
        return _uniform(1 / math.sqrt(units))
    if part.startswith("bias"):
        opens = scheme == "keras_default" and part == "bias_ih"
        return lambda g, shape: _of_gates(units, shape[0], 1.0 if opens else 0.0)
    if scheme == "keras_default" and part == "weight_hh":
        return _orthonormal
    return _uniform(SCHEMES[scheme](*_fans(variable)))


def _of_gates(units: int, rows: int, forget: float) -> Array:
    """A bias of 0, and of `forget` for the forget gate, the second of an LSTM's four."""
    bias = np.zeros(rows)
    if rows == 4 * units:
        bias[units : 2 * units] = forget
    return bias


def _orthonormal(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Columns that are orthonormal: as Keras' `Orthogonal` draws them."""
    Q, R = np.linalg.qr(generator.normal(size=shape))
    return np.asarray(Q * np.sign(np.diag(R)))


SCHEMES: dict[str, Callable[[int, int], float]] = {
    "glorot_uniform": lambda fan_in, fan_out: math.sqrt(6 / (fan_in + fan_out)),
    "he_uniform": lambda fan_in, fan_out: math.sqrt(6 / fan_in),
    "torch_default": lambda fan_in, fan_out: 1 / math.sqrt(fan_in),
    "keras_default": lambda fan_in, fan_out: math.sqrt(6 / (fan_in + fan_out)),
    "gluon_default": lambda fan_in, fan_out: 0.07,
}


def _uniform(bound: float) -> Draw:
    return lambda generator, shape: generator.uniform(-bound, bound, shape)


PACKED_WEIGHTS = ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight")
"""Those of `torch.nn.MultiheadAttention`, which are of dense layers."""

EMBEDDING: dict[str, Draw] = {
    "torch_default": draw("normal"),
    "keras_default": _uniform(0.05),
    "gluon_default": _uniform(0.07),
}
"""What the frameworks' own embeddings draw; by the other schemes it is a matrix like any other."""


def _fans(weight: Variable) -> tuple[int, int]:
    """`(fan_in, fan_out)` of a weight `(out, in, *kernel)`."""
    fan_out, fan_in, *kernel = _sizes(weight)
    if weight.name.endswith("in_proj_weight"):  # of three layers
        fan_out //= 3
    return fan_in * math.prod(kernel), fan_out * math.prod(kernel)


def _sizes(variable: Variable) -> tuple[int, ...]:
    return tuple(size for size in variable.shape or () if size is not None)
