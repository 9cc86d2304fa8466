"""Why two models differ: the causes that are known, each a hypothesis that the numbers are asked.

A cause is named when what it says is computed from the right model's numbers and gives the wrong
model's, within the policy. Nothing is guessed: what no hypothesis explains is `unknown`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from unified_blocks.equivalence.alignment import agree, wide
from unified_blocks.equivalence.numpy_ops import ACTIVATE, softmax
from unified_blocks.types import Array

UNKNOWN = "unknown"
NORMS = ("BatchNorm", "LayerNorm")
ENOUGH = 4
"""So many different numbers have to obey a rule that has one free number in it."""


@dataclass
class Evidence:
    """What is known of the first difference.

    Attributes:
        what: `"parameter"`, `"call"`, `"gradient"`, `"statistic"` or `"loss"`.
        name: of the array, or of the call.
        kind: of the layer, `"Dense"`.
        a, b: the array in each model, None where it has none.
        x: what the call took, when it took one array, the same in both.
        numbers: of the layer, by their own names: `{"weight": …, "bias": …}`.
        train: whether the models were in training mode.
        changed: whether only `b` changed what it was given, in place.
        names: all names of the array in each model: several when it is shared.
        roles: of the array in each model.
        moved: of a constant of `b`, whether it is where the parameters are.
        later: what each model makes of its output, when an activation may come after it.
        dtype: of `a`, `b` and `x` in the framework, when it is not NumPy's.
        before: of a running statistic, what it was before.
        only_in: the model that alone makes the call, `"a"` or `"b"`.
        counts: over how many examples, and how many numbers, a loss may be a mean.
    """

    what: str
    name: str
    kind: str | None = None
    a: Array | None = None
    b: Array | None = None
    x: Array | None = None
    numbers: Mapping[str, Array] = field(default_factory=dict)
    train: bool = False
    changed: bool = False
    names: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
    roles: tuple[str | None, str | None] = (None, None)
    moved: bool = True
    later: tuple[Sequence[Array], Sequence[Array]] = ((), ())
    dtype: str | None = None
    before: Array | None = None
    only_in: str | None = None
    counts: Sequence[int] = ()
    mode: str = "forward"

    def gives(self, candidate: Array) -> bool:
        """Whether a candidate is what the wrong model gave."""
        return self.b is not None and agree(candidate, self.b, self.dtype)

    def right(self, candidate: Array) -> bool:
        """Whether it is what the right model gave."""
        return self.a is not None and agree(candidate, self.a, self.dtype)

    @property
    def attribute(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def is_held_otherwise(self) -> bool:
        """Whether the models hold the array differently, whatever its numbers are."""
        present = None not in self.roles
        return present and (
            self.roles[0] != self.roles[1] or self.names[0] != self.names[1] or not self.moved
        )

    @property
    def linear(self) -> Array | None:
        """`X Wᵀ + b` of a dense layer, from its numbers; None of any other layer."""
        return self.with_weight(self.weight.T) if self.weight is not None else None

    @property
    def weight(self) -> Array | None:
        weight = self.numbers.get("weight")
        fits = (
            self.kind == "Dense"
            and self.what == "call"
            and self.x is not None
            and weight is not None
            and self.x.shape[-1] == weight.shape[1]
        )
        return wide(weight) if fits and weight is not None else None

    def with_weight(self, matrix: Array) -> Array:
        return self.x_wide @ matrix + wide(self.numbers.get("bias", np.zeros(1)))

    @property
    def x_wide(self) -> Array:
        assert self.x is not None
        return wide(self.x)


# parameters


def transposed_square_weight(e: Evidence) -> bool:
    """A square weight is used untransposed: no shape tells."""
    if e.what == "parameter" and e.a is not None and e.a.ndim >= 2:
        return e.a.shape[0] == e.a.shape[1] and e.gives(np.swapaxes(e.a, 0, 1))
    weight = e.weight
    if weight is None or weight.shape[0] != weight.shape[1]:
        return False
    z, wrong = e.with_weight(weight.T), e.with_weight(weight)
    return any(e.right(f(z)) and e.gives(f(wrong)) for f in ACTIVATE.values())


def fix_gamma(e: Evidence) -> bool:
    """A BatchNorm's gamma counts as 1 in one model and not in the other."""
    if e.what == "parameter":
        ones = [array is None or bool((array == 1).all()) for array in (e.a, e.b)]
        return e.kind == "BatchNorm" and e.attribute == "weight" and ones[0] != ones[1]
    if e.what != "call" or e.kind != "BatchNorm" or e.train or "weight" not in e.numbers:
        return False
    gamma, beta = (along(e, name) for name in ("weight", "bias"))
    if e.a is None or (gamma == 0).any():
        return False
    return e.gives((wide(e.a) - beta) / gamma + beta)


def flatten_order(e: Evidence) -> bool:
    """An image is flattened with the channels last in one model and first in the other."""
    if e.what == "call" and e.x is not None and e.x.ndim >= 3:
        last = np.moveaxis(e.x, 1, -1).reshape(len(e.x), -1)
        first = np.moveaxis(e.x, -1, 1).reshape(len(e.x), -1)
        flat = e.x.reshape(len(e.x), -1)
        return e.right(flat) and (e.gives(last) or e.gives(first))
    if e.what != "parameter" or e.a is None or e.a.ndim != 2:
        return False
    out, width = e.a.shape
    return any(
        e.gives(e.a.reshape(out, c, width // c).swapaxes(1, 2).reshape(out, width))
        for c in range(2, width // 2 + 1)
        if width % c == 0
    )


def shared_layer_duplicated(e: Evidence) -> bool:
    """A layer that the right model uses twice is two layers in the other."""
    return e.names[1] < e.names[0] and bool(e.names[1])


def layers_shared(e: Evidence) -> bool:
    """Two layers of the right model are one layer in the other."""
    return e.names[0] < e.names[1] and bool(e.names[0])


def constant_trained(e: Evidence) -> bool:
    """A constant is a parameter in the other model."""
    return e.roles == ("constant", "parameter")


def parameter_not_trained(e: Evidence) -> bool:
    """A parameter is a constant in the other model."""
    return e.roles == ("parameter", "constant")


def constant_not_moved(e: Evidence) -> bool:
    """A constant is not on the device of the parameters."""
    return e.what == "parameter" and not e.moved


def constant_not_saved(e: Evidence) -> bool:
    """A constant is not in the file, or not what it was."""
    return e.what == "parameter" and e.mode == "saved" and e.roles[0] == "constant" and e.moved


# calls


def call_missing(e: Evidence) -> bool:
    """A layer is not called, or not as often as in the right model."""
    return e.only_in == "a"


def call_extra(e: Evidence) -> bool:
    """A layer is called that the right model does not call, or not as often."""
    return e.only_in == "b"


def activation_missing(e: Evidence) -> bool:
    """The activation is not applied."""
    return e.what == "call" and _activates(e.b, e.right) and not _activates(e.a, e.gives)


def activation_extra(e: Evidence) -> bool:
    """An activation is applied that the right model has not."""
    return e.what == "call" and _activates(e.a, e.gives) and not _activates(e.b, e.right)


def _activates(array: Array | None, agrees: Callable[[Array], bool]) -> bool:
    if array is None or array.size < ENOUGH:
        return False
    with np.errstate(all="ignore"):
        return any(agrees(f(wide(array))) for name, f in ACTIVATE.items() if name is not None)


def _before_activation(e: Evidence) -> Iterator[Array]:
    """What the activation of this call was applied to."""
    if e.what == "call":
        if e.linear is not None:
            yield e.linear
        elif e.x is not None and e.a is not None and e.x.shape == e.a.shape:
            yield e.x_wide
        if e.a is not None and e.later[0]:
            yield wide(e.a)


def _applied(e: Evidence, candidate: Array) -> bool:
    """Whether the right model has it, or makes it of its output."""
    return e.right(candidate) or any(agree(candidate, array, e.dtype) for array in e.later[0])


def gelu_tanh(X: Array, cubic: float) -> Array:
    """GELU by its approximation with tanh (Hendrycks and Gimpel, 2016)."""
    return np.asarray(0.5 * X * (1 + np.tanh(math.sqrt(2 / math.pi) * (X + cubic * X**3))))


def gelu_form(e: Evidence) -> bool:
    """GELU is exact in one model and its approximation by tanh in the other."""
    for z in _before_activation(e):
        exact = ACTIVATE["gelu"](z)
        for cubic in (0.044715, float(np.float32(0.044715))):  # Keras rounds it
            other = gelu_tanh(z, cubic)
            if (_applied(e, exact) and e.gives(other)) or (_applied(e, other) and e.gives(exact)):
                return True
    return False


def another_activation(e: Evidence) -> bool:
    """Another activation is applied."""
    functions = [f for name, f in ACTIVATE.items() if name is not None]
    with np.errstate(all="ignore"):
        return any(
            any(_applied(e, f(z)) for f in functions)
            and (
                _applied_later(e, z, functions)
                if e.gives(z)  # in half precision a small number is its own tanh, too
                else any(e.gives(g(z)) for g in functions)
            )
            for z in _before_activation(e)
        )


def _applied_later(e: Evidence, z: Array, functions: Sequence[Callable[[Array], Array]]) -> bool:
    """Whether the wrong model applies one after the layer, where the right one applies none."""
    if e.a is None:
        return False
    mine, theirs = e.later
    return any(
        any(agree(g(z), array, e.dtype) for array in theirs)
        and not any(agree(g(wide(e.a)), array, e.dtype) for array in mine)
        for g in functions
    )


def softmax_axis(e: Evidence) -> bool:
    """Softmax is taken along another axis."""
    if e.what != "call" or e.x is None:
        return False
    axes = range(e.x.ndim)
    both = [softmax(e.x_wide, axis) for axis in axes]
    for values in (both, [np.log(value) for value in both]):
        if any(e.right(value) for value in values) and any(e.gives(value) for value in values):
            return True
    return False


def bias_missing(e: Evidence) -> bool:
    """The bias is not added."""
    if e.what == "parameter":
        return e.attribute == "bias" and e.roles == ("parameter", None)
    weight, bias = e.weight, e.numbers.get("bias")
    if weight is None or bias is None:
        return False
    z = e.with_weight(weight.T)
    return any(e.right(f(z)) and e.gives(f(z - wide(bias))) for f in ACTIVATE.values())


def along(e: Evidence, name: str) -> Array:
    """An array of a normalisation, shaped to be along the axis that it is for."""
    assert e.a is not None
    array = wide(e.numbers[name])
    if e.kind == "LayerNorm":
        return array
    axis = 1 if e.a.shape[1] == array.size else e.a.ndim - 1
    return array.reshape([array.size if i == axis else 1 for i in range(e.a.ndim)])


def _normalised(e: Evidence) -> tuple[Array, Array, Array, Array, int] | None:
    """Of a call of a norm: centred input, variance, gamma, beta, and over how many numbers."""
    fits = e.what == "call" and e.kind in NORMS and e.x is not None and e.a is not None
    if not fits or not {"weight", "bias"} <= e.numbers.keys() or e.x_wide.ndim < 2:
        return None
    X, gamma, beta = e.x_wide, along(e, "weight"), along(e, "bias")
    if e.kind == "BatchNorm" and not e.train:
        mean, var = along(e, "running_mean"), along(e, "running_var")
        return X - mean, var + 0 * X, gamma, beta, 0
    if e.kind == "LayerNorm":
        axes: tuple[int, ...] = tuple(range(X.ndim - e.numbers["weight"].ndim, X.ndim))
    else:
        axes = tuple(i for i in range(X.ndim) if gamma.shape[i] == 1)
    count = math.prod(X.shape[i] for i in axes)
    return X - X.mean(axes, keepdims=True), X.var(axes, keepdims=True) + 0 * X, gamma, beta, count


def _epsilon_of(
    output: Array, centred: Array, var: Array, gamma: Array, beta: Array
) -> float | None:
    """The epsilon with which a norm gave this output, from its largest numbers."""
    scaled = (wide(output) - beta) / np.where(gamma == 0, np.nan, gamma)
    with np.errstate(all="ignore"):
        found = (centred / scaled) ** 2 - var
    sure = np.isfinite(found) & (np.abs(centred) > 0.1 * np.abs(centred).max())
    return float(np.median(found[sure])) if sure.sum() >= ENOUGH else None


def epsilon(e: Evidence) -> bool:
    """A norm has another epsilon."""
    parts = _normalised(e)
    if parts is None or e.a is None or e.b is None:
        return False
    centred, var, gamma, beta, _ = parts
    for array, agrees in ((e.a, e.right), (e.b, e.gives)):
        found = _epsilon_of(array, centred, var, gamma, beta)
        if found is None or found < -1e-9:
            return False
        if not agrees(centred / np.sqrt(var + max(found, 0)) * gamma + beta):
            return False
    return True


def batch_statistics(e: Evidence) -> bool:
    """A BatchNorm uses the batch's statistics in one model and the running ones in the other."""
    parts, others = (_normalised(replace(e, train=train)) for train in (e.train, not e.train))
    if parts is None or others is None or e.kind != "BatchNorm" or e.a is None:
        return False
    found = _epsilon_of(e.a, *parts[:4])
    if found is None or found < -1e-9:
        return False
    right, wrong = (
        centred / np.sqrt(var + max(found, 0)) * gamma + beta
        for centred, var, gamma, beta, _ in (parts, others)
    )
    return e.right(right) and e.gives(wrong)


def unbiased_variance(e: Evidence) -> bool:
    """A variance is divided by n - 1 in one model and by n in the other."""
    if e.what == "statistic" and e.x is not None and e.before is not None and e.a is not None:
        return _unbiased_statistic(e)
    parts = _normalised(e)
    if parts is None or e.a is None or parts[4] < 2:
        return False
    centred, var, gamma, beta, count = parts
    for ours, theirs in ((var, var * count / (count - 1)), (var * count / (count - 1), var)):
        found = _epsilon_of(e.a, centred, ours, gamma, beta)
        if found is None or not -1e-9 <= found <= 1e-2:
            continue
        small = max(found, 0)
        if e.right(centred / np.sqrt(ours + small) * gamma + beta) and e.gives(
            centred / np.sqrt(theirs + small) * gamma + beta
        ):
            return True
    return False


def _unbiased_statistic(e: Evidence) -> bool:
    if e.attribute != "running_var" or e.a is None or e.before is None:
        return False
    X = e.x_wide
    axis = 1 if X.shape[1] == e.a.size else X.ndim - 1
    axes = tuple(i for i in range(X.ndim) if i != axis)
    var, count = X.var(axes), X.size // e.a.size
    unbiased = var * count / (count - 1)
    old = wide(e.before)
    for ours, theirs in ((var, unbiased), (unbiased, var)):
        with np.errstate(all="ignore"):
            weight = float(np.median((wide(e.a) - old) / (ours - old)))
        if e.right(old + weight * (ours - old)) and e.gives(old + weight * (theirs - old)):
            return True
    return False


def momentum(e: Evidence) -> bool:
    """A running statistic moves by another share of the way to the new value."""
    if e.what != "statistic" or e.a is None or e.b is None or e.before is None:
        return False
    steps = wide(e.a) - wide(e.before)
    sure = np.abs(steps) > 1e-3 * np.abs(steps).max(initial=0)
    if sure.sum() < ENOUGH:
        return False
    share = float(np.median((wide(e.b) - wide(e.before))[sure] / steps[sure]))
    return share != 1 and e.gives(wide(e.before) + share * steps)


def statistics_not_updated(e: Evidence) -> bool:
    """A running statistic stays as it was, in training."""
    return e.what == "statistic" and e.before is not None and e.gives(e.before)


def dropout_active(e: Evidence) -> bool:
    """Dropout is at work where the right model passes its input on, or drew other numbers."""
    if e.kind != "Dropout" or e.what != "call" or e.x is None or e.b is None:
        return False
    kept = wide(e.b)[(e.b != 0) & (e.x != 0)] / e.x_wide[(e.b != 0) & (e.x != 0)]
    dropped = bool(((e.b == 0) & (e.x != 0)).any())
    return kept.size > 0 and dropped and bool(np.allclose(kept, kept.flat[0], rtol=1e-2))


def input_changed(e: Evidence) -> bool:
    """A call changes what it was given, in place."""
    return e.changed


def float32_inside(e: Evidence) -> bool:
    """A step of a float64 model is computed in float32."""
    if e.what not in ("call", "gradient") or e.a is None or e.b is None:
        return False
    if e.b.dtype != np.float64 or e.b.shape != e.a.shape or e.b.size < ENOUGH:
        return False
    near = np.abs(e.a - e.b).max() <= 1e-5 * np.abs(e.a).max()
    return bool(near) and bool((e.b == e.b.astype(np.float32)).all())


def another_dtype(e: Evidence) -> bool:
    """It is of another dtype, and the right numbers but for rounding."""
    if e.a is None or e.b is None or e.a.dtype == e.b.dtype:
        return False
    narrow = min((e.a.dtype, e.b.dtype), key=lambda dtype: dtype.itemsize)
    return agree(e.a, e.b, str(narrow))


def not_finite(e: Evidence) -> bool:
    """A number is not finite, where the right model's are."""
    return (
        e.a is not None
        and e.b is not None
        and bool(np.isfinite(e.a).all())
        and not np.isfinite(e.b).all()
    )


def constant_factor(e: Evidence) -> bool:
    """All numbers are the right ones times one number."""
    if e.what not in ("call", "gradient") or not _varied(e.a) or e.a is None or e.b is None:
        return False
    at = np.unravel_index(int(np.argmax(np.abs(e.a))), e.a.shape)
    if e.a.shape != e.b.shape:
        return False
    return e.gives(wide(e.a) * float(e.b[at] / e.a[at])) and bool(e.b[at])


def constant_offset(e: Evidence) -> bool:
    """All numbers are the right ones plus one number."""
    if e.what != "call" or not _varied(e.a) or e.a is None or e.b is None:
        return False
    if e.a.shape != e.b.shape:
        return False
    return e.gives(wide(e.a) + float(np.median(wide(e.b) - wide(e.a))))


def _varied(array: Array | None) -> bool:
    return array is not None and len(np.unique(array)) >= ENOUGH


# gradients and training


def gradient_missing(e: Evidence) -> bool:
    """A parameter gets no gradient, though the output depends on it."""
    return e.what == "gradient" and e.a is not None and (e.b is None or not e.b.any())


def loss_summed(e: Evidence) -> bool:
    """What is averaged, over the batch or over all numbers, in one model is summed in the other."""
    if e.what not in ("gradient", "loss") or e.a is None or not wide(e.a).any():
        return False
    factors = [factor for n in e.counts if n > 1 for factor in (n, 1 / n)]
    return any(e.gives(wide(e.a) * factor) for factor in factors)


CAUSES: Mapping[str, Callable[[Evidence], bool]] = {
    test.__name__: test
    for test in (
        *(
            not_finite,
            another_dtype,
            fix_gamma,
            constant_not_moved,
            constant_trained,
            parameter_not_trained,
        ),
        *(
            shared_layer_duplicated,
            layers_shared,
            transposed_square_weight,
            flatten_order,
        ),
        *(constant_not_saved, call_missing, call_extra, dropout_active),
        *(gelu_form, softmax_axis, bias_missing, batch_statistics),
        *(unbiased_variance, epsilon, statistics_not_updated, momentum, input_changed),
        *(gradient_missing, loss_summed, another_activation, activation_missing),
        *(activation_extra, float32_inside, constant_factor, constant_offset),
    )
}
"""By identifier; the earlier one is meant where two explain the same numbers."""


def explain(evidence: Evidence) -> str:
    """The identifier of the cause that the numbers confirm, else `"unknown"`."""
    return next((name for name, test in CAUSES.items() if test(evidence)), UNKNOWN)


def sentence(cause: str) -> str:
    """A cause in a sentence."""
    if cause == UNKNOWN:
        return "No known cause explains the numbers."
    return (CAUSES[cause].__doc__ or "").strip().splitlines()[0]
