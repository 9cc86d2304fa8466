"""What people write, and what is meant: optimizers and losses by name, and whole numbers."""

from __future__ import annotations

import inspect
from difflib import get_close_matches
from typing import Any

import numpy as np

from unified_blocks.backend import Loss, Optimizer
from unified_blocks.backend.registry import get_backend, owner_of_module
from unified_blocks.training.losses import LOSSES, check_loss
from unified_blocks.training.optimizers import KINDS, SGD, Adagrad, Adam, AdamW, RMSprop

OPTIMIZERS: dict[str, type[Optimizer]] = {
    kind.__name__.lower(): kind for kind in (SGD, Adam, AdamW, RMSprop, Adagrad)
}
"""Each kind by its name in small letters; all but SGD have a learning rate by default."""
RATE = 0.01
"""The learning rate in errors that say how to write SGD."""

OTHER_OPTIMIZERS = {
    **dict.fromkeys(("nadam", "radam", "adamax", "amsgrad", "lamb", "lion", "adafactor"), "adam"),
    **dict.fromkeys(("momentum", "nag", "nesterov", "asgd", "lars", "ftrl", "signum"), "sgd"),
    "adadelta": "adagrad",
}
"""Those of other libraries, and the nearest that there is."""

LOSS_WORDS = {
    **dict.fromkeys(
        (
            *("crossentropy", "ce", "categoricalcrossentropy", "sparsecategoricalcrossentropy"),
            *("crossentropyloss", "softmaxcrossentropyloss", "softmaxceloss"),
        ),
        "cross_entropy",
    ),
    **dict.fromkeys(("mse", "mseloss", "meansquarederror"), "mse"),
    **dict.fromkeys(("mae", "l1", "l1loss", "meanabsoluteerror"), "l1"),
    **dict.fromkeys(("huber", "huberloss"), "huber"),
    **dict.fromkeys(
        (
            *("bce", "binarycrossentropy", "bcewithlogits", "bcewithlogitsloss"),
            *("sigmoidbinarycrossentropyloss", "sigmoidbceloss"),
        ),
        "binary_cross_entropy",
    ),
    **{name: name for name in ("sum", "mean")},
}
"""Losses by all their names, in small letters without anything between them."""
OTHER_LOSSES = {
    **dict.fromkeys(("nll", "nllloss", "kldivloss", "kldivergence", "focalloss"), "cross_entropy"),
    **dict.fromkeys(("bceloss", "hinge", "hingeloss", "logistic"), "binary_cross_entropy"),
    **dict.fromkeys(("smoothl1", "smoothl1loss", "logcosh"), "huber"),
    **dict.fromkeys(("l2loss", "meansquaredlogarithmicerror"), "mse"),
}
"""Losses that are others than those that there are, and the nearest of these."""


def optimizer_meant(written: Any) -> Optimizer:
    """The optimizer that is meant: by its name in any case, with its numbers by default.

    Raises:
        TypeError: when it is none; the error names the nearest.
        ValueError: an unknown name, or that of one without a learning rate by default.
    """
    if isinstance(written, Optimizer):
        return written
    if not isinstance(written, str):
        named = written if isinstance(written, type) else type(written)
        near = _nearest_optimizer(named.__name__)
        got = "the class " if isinstance(written, type) else "an object of "
        got = f"{got}{named.__module__}.{named.__qualname__}"
        if written is None or isinstance(written, (int, float)):
            got = repr(written)
        raise TypeError(f"optimizer must be {KINDS}; got {got}: write {_as_written(near)}")
    name = _plain(written)
    if name not in OPTIMIZERS:
        raise ValueError(
            f"optimizer must be {KINDS}, or one of the names {', '.join(sorted(OPTIMIZERS))}; got "
            f"{written!r}: write {_as_written(_nearest_optimizer(written))}"
        )
    kind = OPTIMIZERS[name]
    if kind is SGD:
        raise ValueError(
            f"optimizer {written!r} must have a learning rate, for which SGD has no default; got "
            f"none: write {_as_written(name)}"
        )
    return kind()  # type: ignore[call-arg]  # all but SGD have defaults


def _nearest_optimizer(name: str) -> str:
    """Of the names of `OPTIMIZERS`."""
    plain = _plain(name)
    if plain in OTHER_OPTIMIZERS:
        return OTHER_OPTIMIZERS[plain]
    return next(iter(get_close_matches(plain, OPTIMIZERS, n=1)), "adam")


def _as_written(name: str) -> str:
    """An optimizer as one writes it."""
    kind = OPTIMIZERS[name]
    return f"ub.{kind.__name__}({RATE if kind is SGD else ''})"


def loss_meant(written: Any) -> Loss:
    """The loss that is meant: a function as it is, a name in the spelling of `LOSSES`.

    Raises:
        ValueError: an unknown name; the error names the nearest.
        TypeError: a class, or a loss of a framework that computes something else than a scalar of
            `(output, y)`.
    """
    if isinstance(written, str):
        return _loss_named(written)
    name = getattr(written, "__name__", type(written).__name__)
    plain = _plain(name)
    nearest = {**LOSS_WORDS, **OTHER_LOSSES}.get(plain, "")
    if inspect.isclass(written):
        remedy = f"write loss={nearest!r}, or" if nearest else "make"
        raise TypeError(
            "loss must be a name or a function of tensors; got the class "
            f"{written.__module__}.{name}: {remedy} an instance of it"
        )
    if not callable(written):
        raise TypeError(
            f"loss must be one of {', '.join(LOSSES)}, or a function of tensors; got "
            f"{shown(written)}: write loss='mse', or another name"
        )
    kind: type[Any] = type(written)
    for of in (written, *kind.__mro__):
        owner = owner_of_module(str(getattr(of, "__module__", "")))
        why = get_backend(owner).losses_of_its_own if owner else ""
        if why:
            remedy = f"write loss={nearest!r}, or" if nearest else "give"
            raise TypeError(
                "loss must be a name or a function loss(output, y) that gives a scalar; got "
                f"{name} of {of.__module__}, {why}: {remedy} a function that calls it"
            )
    loss: Loss = written
    return loss


def _loss_named(written: str) -> str:
    plain = _plain(written)
    if plain in LOSS_WORDS:
        return LOSS_WORDS[plain]
    near = OTHER_LOSSES.get(plain) or next(iter(get_close_matches(plain, LOSS_WORDS, n=1)), "")
    if near:
        raise ValueError(
            f"loss must be one of {', '.join(LOSSES)}, or a function of tensors; got {written!r}: "
            f"the nearest is {LOSS_WORDS.get(near, near)!r}"
        )
    return check_loss(written)


def _plain(name: str) -> str:
    """A name in small letters, without anything between them."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def check_count(where: str, name: str, number: Any) -> int:
    """An argument that is a whole number from 1, NumPy's too, as Python's.

    Raises:
        TypeError: when it is not whole.
        ValueError: when it is below 1.
    """
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
        raise TypeError(
            f"{where}: {name} must be a whole number; got {name}={shown(number)}: write {name}=1, "
            "or more"
        )
    if number < 1:
        raise ValueError(f"{where}: {name} must be at least 1; got {name}={number}")
    return int(number)


def shown(value: Any) -> str:
    """A value in a message: short, and never the numbers of an array."""
    if value is None or isinstance(value, (str, int, float)):
        return repr(value)
    return f"a {type(value).__name__}"
