"""Metrics: means over samples of what a model gives, computed where it runs.

With weights w of the samples the mean of mᵢ is `Σ wᵢ mᵢ / Σ wᵢ`, as of a loss, mᵢ being the mean
over the other axes of sample i; of weights that are all 0 it is 0.
"""

from __future__ import annotations

import difflib
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from math import prod
from typing import Any

import numpy as np

from unified_blocks import ops
from unified_blocks.dtypes import any_dtype_name
from unified_blocks.ops.dispatch import beside, namespace_of
from unified_blocks.training.losses import takes_weights
from unified_blocks.training.words import shown


class Metric(ABC):
    """A number for a batch, that is watched and not learned.

    It is the mean over the samples, or with weights `Σ w m / Σ w`, so that the number of an epoch
    is that of all its samples, however they lie in batches. It is computed inside the training
    step, by `ub.ops`, and must not read a tensor.

    Attributes:
        name: what its curve is called.

    Example::

        class Largest(ub.Metric):
            name = "largest"

            def __call__(self, output, y, w=None):
                return ub.ops.mean(ub.ops.max(output, axis=-1))

        net = ub.build(ub.MLP(16, 3), (4, 2))
        ub.evaluate(net, np.ones((4, 2), "float32"), np.zeros(4, "int64"), metrics=[Largest()])
    """

    name: str

    @property
    def of_outputs(self) -> bool:
        """Whether it depends on the output, the targets and the weights, and on nothing else."""
        return type(self) in OF_OUTPUTS

    @abstractmethod
    def __call__(self, output: Any, y: Any, w: Any = None) -> Any:
        """The mean over a batch, a scalar tensor.

        Args:
            output: what the model gives.
            y: the targets.
            w: the weight of each sample, `(n,)`; None for ones.
        """


class Accuracy(Metric):
    """`"accuracy"`: the share of samples that are told right.

    Of logits `(…, classes)` the first of the largest is what is told, and right when it is the
    label, of labels `(…)`, or the first of the largest of one-hot targets `(…, classes)`. Of a
    single logit, `(n,)` or `(…, 1)`, the sign is what is told, and right when it is above 0 just
    where the target is above 0.5.

    Raises:
        ValueError: targets of another shape.
    """

    name = "accuracy"

    def __repr__(self) -> str:
        return repr(self.name)

    def __call__(self, output: Any, y: Any, w: Any = None) -> Any:
        shape, given = shapes(self.name, output, y)
        if len(shape) == 1 or shape[-1] == 1:
            if prod(shape) != prod(given) or shape[0] != given[0]:
                raise unfit(self.name, f"of single logits, {shape},", shape[:1], given)
            told = ops.greater(output, 0.0)
            right = ops.greater(ops.astype(ops.reshape(y, shape), "float32"), 0.5)
            return mean_of(ops.equal(told, right), output, w)
        found = beside(self.name, output, y)  # whose operations need no more checks
        told = found.argmax(output, len(shape) - 1)
        return mean_of(found.equal(told, labels_in(self.name, shape, y)), output, w)


class TopK(Metric):
    """The share of samples whose label is among the `k` largest logits.

    It is when fewer than `k` of the logits `(…, classes)` are strictly larger than that of the
    label. Targets are labels `(…)`, or one-hot `(…, classes)`. The curve is called `top_5` of
    `TopK(5)`.

    Args:
        k: at least 1, and at most the number of classes.

    Raises:
        ValueError: a `k` that is no such number; targets of another shape.

    Example::

        net = ub.build(ub.MLP(16, 4), (8, 2))
        x, y = np.ones((8, 2), "float32"), np.arange(8) % 4
        ub.evaluate(net, x, y, metrics=["accuracy", ub.TopK(4)])["top_4"]  # 1.0
    """

    def __init__(self, k: int = 5) -> None:
        if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
            raise ValueError(f"TopK: k must be a whole number, at least 1; got k={k!r}: TopK(5)")
        self.k, self.name = int(k), f"top_{k}"

    def __repr__(self) -> str:
        return f"TopK({self.k})"

    def __call__(self, output: Any, y: Any, w: Any = None) -> Any:
        shape, _ = shapes(self.name, output, y)
        classes = shape[-1]
        if len(shape) < 2 or self.k > classes:
            raise ValueError(
                f"TopK: k must be at most the number of classes; got k={self.k} of an output "
                f"{shape}: take a smaller k"
            )
        labels = ops.expand_dims(labels_in(self.name, shape, y), axis=-1)
        of_label = ops.equal(labels, ops.arange(classes, like=labels))
        # What is no number is not below it, and to a label that is no class nothing is.
        lowest = ops.full_like(output, float("-inf"))
        logit = ops.max(ops.where(of_label, output, lowest), axis=-1, keepdims=True)
        below = ops.sum(ops.astype(ops.less_equal(output, logit), "float32"), axis=-1)
        return mean_of(ops.greater(below, float(classes - self.k)), output, w)


class Distance(Metric):
    """`"mae"`, `"mse"`: the mean over all elements of `|output - y|`, or of its square.

    Raises:
        ValueError: targets of another shape than the output; nothing is broadcast.
    """

    def __init__(self, name: str, function: Callable[[Any], Any]) -> None:
        self.name, self.function = name, function

    def __repr__(self) -> str:
        return repr(self.name)

    def __call__(self, output: Any, y: Any, w: Any = None) -> Any:
        shape, given = shapes(self.name, output, y)
        if shape != given:
            raise unfit(self.name, "like the output,", shape, given)
        output = ops.astype(output, wide(output))
        distance = ops.subtract(output, ops.astype(y, wide(output)))
        return mean_of(self.function(distance), output, w)


class ByFunction(Metric):
    """A function of the output and, if there are any, of the targets, that gives a mean.

    Raises:
        TypeError: when it gives no tensor.
        ValueError: when it gives more than one number.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.name = function, named(function)
        self.weighted = takes_weights(function)

    def __repr__(self) -> str:
        return self.name

    def __call__(self, output: Any, y: Any, w: Any = None) -> Any:
        more = {"sample_weight": w} if self.weighted and w is not None else {}
        value = self.function(*((output,) if y is None else (output, y)), **more)
        if not hasattr(value, "shape"):
            raise TypeError(
                f"metric {self.name!r} must give a tensor, for it is a part of the training step; "
                f"got a {type(value).__name__}: compute it by ub.ops, without reading a tensor"
            )
        if prod(value.shape) != 1:
            raise ValueError(
                f"metric {self.name!r} must give one number, its mean over the batch; got a tensor "
                f"of shape {tuple(value.shape)}: take ub.ops.mean of it"
            )
        return ops.reshape(value, ()) if len(value.shape) else value


def mean_of(values: Any, output: Any, w: Any) -> Any:
    """The mean over a batch of truth values or numbers `(n, …)`, weighted if there are weights.

    It is as exact as the output, and in float32 at least.
    """
    dtype, found = wide(output), namespace_of("mean", values)
    values = found.astype(values, dtype)
    if w is None:
        return found.mean(values, None, False)
    axes = tuple(range(1, len(values.shape)))
    values = ops.mean(values, axis=axes) if axes else values
    w = ops.astype(w, dtype)
    total = ops.sum(w)
    nothing = ops.astype(ops.equal(total, 0.0), dtype)
    return ops.divide(ops.sum(ops.multiply(w, values)), ops.add(total, nothing))


def wide(x: Any) -> str:
    """The dtype of a tensor, and float32 of those that are not as exact."""
    return wide_of(x.dtype)


@cache
def wide_of(dtype: Any) -> str:
    return "float64" if any_dtype_name(dtype) == "float64" else "float32"


def labels_in(name: str, shape: tuple[int, ...], y: Any) -> Any:
    """The labels `shape[:-1]` of targets that are these, or one-hot."""
    given = tuple(y.shape)
    if given == shape:
        return ops.argmax(y)
    if given != shape[:-1]:
        raise unfit(name, f"{shape[:-1]}, or one-hot", shape, given)
    return y if any_dtype_name(y.dtype) == "int64" else ops.astype(y, "int64")


def shapes(name: str, output: Any, y: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The shapes of output and targets.

    Raises:
        ValueError: without targets.
        TypeError: for a model that gives several tensors.
    """
    if y is None:
        raise ValueError(f"metric {name!r} needs targets; got y=None: leave the metric out")
    if not hasattr(output, "shape") or not hasattr(y, "shape"):
        raise TypeError(
            f"metric {name!r} needs one tensor for output and one for targets; got a "
            f"{type(output).__name__} and a {type(y).__name__}: give a function of both"
        )
    return tuple(output.shape), tuple(y.shape)


def unfit(name: str, rule: str, shape: tuple[int, ...], given: tuple[int, ...]) -> ValueError:
    """The error for targets of a shape that a metric does not take."""
    return ValueError(f"metric {name!r} needs targets {rule} {shape}; got {given}: reshape them")


def named(function: Callable[..., Any]) -> str:
    """What a function is called; one that is `partial` as the function in it."""
    inner: Any = function
    while not hasattr(inner, "__name__") and hasattr(inner, "func"):
        inner = inner.func
    name: str = getattr(inner, "__name__", type(inner).__name__)
    return name


NAMED: dict[str, Callable[[], Metric]] = {
    "accuracy": Accuracy,
    "top_k": TopK,
    "mae": lambda: Distance("mae", ops.abs),
    "mse": lambda: Distance("mse", ops.square),
}
"""The metrics by their names."""
OF_OUTPUTS = (Accuracy, TopK, Distance)
"""Those that see nothing but what they are given."""
ALSO = {
    "acc": "accuracy",
    "binary_accuracy": "accuracy",
    "categorical_accuracy": "accuracy",
    "sparse_categorical_accuracy": "accuracy",
    "top_k_categorical_accuracy": "top_k",
    "sparse_top_k_categorical_accuracy": "top_k",
    "mean_absolute_error": "mae",
    "l1": "mae",
    "mean_squared_error": "mse",
}
"""What others call them."""
TAKEN = ("loss", "epoch", "learning_rate", "seconds")
"""The names of other curves."""


def metrics_meant(
    written: str | Metric | Callable[..., Any] | Sequence[str | Metric | Callable[..., Any]],
) -> tuple[Metric, ...]:
    """The metrics that are meant by names and functions of the output and the targets.

    Raises:
        TypeError: for what is neither, such as a metric of Keras' own, which would read the device
            at each step.
        ValueError: for an unknown name, for two metrics of one name, and for the name of a curve
            that there is anyway.
    """
    if isinstance(written, str) or not isinstance(written, Iterable):
        written = (written,)
    found = tuple(metric_meant(each) for each in written)
    names = [metric.name for metric in found]
    for name in names:
        if names.count(name) > 1 or name in TAKEN or name.startswith("validation_"):
            why = f"{names.count(name)} of" if names.count(name) > 1 else "one of"
            raise ValueError(
                f"metrics: each must have a name of its own, and none of {', '.join(TAKEN)} or "
                f"validation_…; got {why} {name!r}: give a function another name, or a ub.Metric "
                "its `name`"
            )
    return found


def metric_meant(written: Any) -> Metric:
    """The metric that is meant; see `metrics_meant`."""
    if isinstance(written, str):
        return metric_named(written)
    if isinstance(written, Metric):
        if not isinstance(getattr(written, "name", None), str):
            raise TypeError(
                "metrics: a ub.Metric must have a `name`, a str; got a "
                f"{type(written).__name__} without: set it in the class"
            )
        return written
    if isinstance(written, type) or not callable(written) or keeps_state(written):
        kind = written.__name__ if isinstance(written, type) else shown(written)
        near = nearest(kind.removeprefix("a "))
        remedy = f"{kind}()" if isinstance(written, type) and issubclass(written, Metric) else near
        raise TypeError(
            f"metrics: each must be {', '.join(map(repr, NAMED))}, a ub.Metric or a function of "
            f"tensors, (output, y); got {kind}: write {remedy}"
        )
    return ByFunction(written)


def metric_named(written: str) -> Metric:
    """The metric of this name, in any case."""
    name = re.sub("[ -]", "_", written.strip().lower())
    if top := re.fullmatch("top_?([0-9]+)(_accuracy)?", name):
        return TopK(int(top[1]))
    name = ALSO.get(name, name)
    if name not in NAMED:
        raise ValueError(
            f"metrics: a name must be one of {', '.join(NAMED)}; got {written!r}: write "
            f"{nearest(written)}, or give a function of (output, y)"
        )
    return NAMED[name]()


def nearest(written: str) -> str:
    """The name that comes next to this, of a metric or of a class of others'."""
    snake = re.sub("(?<=[a-z])(?=[A-Z])", "_", written).lower()
    known = [*NAMED, *ALSO]
    found = difflib.get_close_matches(snake, known, n=1, cutoff=0.0)[0]
    return repr(ALSO.get(found, found))


def keeps_state(written: Any) -> bool:
    """Whether this is a metric of another library, which adds up what it has seen."""
    return any(hasattr(written, name) for name in ("update_state", "compute", "get_name_value"))
