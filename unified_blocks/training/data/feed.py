"""`Feed`: what a loader of any framework gives, as batches of one framework, checked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from unified_blocks.backend import Backend, Loss
from unified_blocks.backend.registry import owner_of
from unified_blocks.training.data.arrays import check_samples
from unified_blocks.training.data.batches import Batch, Layout, mapped, tensors_in, unpacked
from unified_blocks.training.data.weights import ClassWeight, checked_weights, weights_of
from unified_blocks.training.losses import check_targets

Known = tuple[type[Any], Any, Any, Callable[[Any], Any] | None]
"""Of a part of a batch: its class, its dtype, the shape of a row, and what makes it native."""


class Feed:
    """Makes batches native, with the fewest copies, and checks that each is like the first.

    All have tensors of the same dtypes and numbers of axes, in the same structure. The sizes of
    other axes may differ, as of sequences in groups of one length, as long as the model takes them.
    An array is copied, since who gives it may fill it again; a tensor is not, where the frameworks
    can share it.

    Args:
        backend, device: whose tensors the batches become, and where.
        where: the function that was given the loader, for messages.
        class_weight: the weight of each class; None for ones.
        loss: whose targets they are; None to check no targets.
    """

    def __init__(
        self,
        backend: Backend,
        device: str | None,
        *,
        where: str = "fit",
        class_weight: ClassWeight | None = None,
        loss: Loss | None = None,
    ) -> None:
        self.backend, self.device, self.where = backend, device, where
        self.class_weight, self.loss = class_weight, loss
        self.known: list[Known | None] | None = None
        self.kind: type[Any] = tuple
        self.likes: list[tuple[Any, Any, Any]] | None = None
        self.is_native = False
        self.first: tuple[Layout, list[tuple[int, str]]] | None = None
        self.rows: list[tuple[int, ...]] = []

    def batch(self, given: Any) -> Batch:
        """The next batch.

        Raises:
            TypeError: what is no batch.
            ValueError: one without samples, of different lengths, or unlike the first.
        """
        if (likes := self.likes) is not None and type(given) is self.kind:
            for part, like in zip(given, likes, strict=False):  # few words, for each batch
                if type(part) is not like[0] or part.dtype != like[1] or part.shape != like[2]:
                    break
            else:
                if len(given) == len(likes):
                    return self._native(given)
        self.likes = None
        found = unpacked(given)
        if self.known is None or not self._is_as_known(found):
            return self._checked(found)
        if isinstance(given, (tuple, list)) and None not in self.known[: len(given)]:
            self.kind, self.likes = type(given), [(type(p), p.dtype, p.shape) for p in given]
        return self._native(found)

    def _native(self, parts: Any) -> Batch:
        """A batch of tensors like those before, of which it is known what makes them native."""
        x, y, w = parts if len(parts) == 3 else (*parts, None, None)[:3]
        if self.is_native:
            return x, y, w
        x, y, w = (
            part if known is None or known[3] is None else known[3](part)
            for part, known in zip((x, y, w), self.known or (), strict=True)
        )
        return x, y, w

    def _is_as_known(self, batch: Batch) -> bool:
        """Whether a batch of tensors is like the one before, but for the number of samples."""
        samples = None
        for part, known in zip(batch, self.known or (), strict=True):
            if known is None:
                if part is not None:
                    return False
                continue
            if type(part) is not known[0] or part.dtype != known[1]:
                return False
            length, *rows = part.shape
            if rows != known[2] or length != (samples or length):
                return False
            samples = length
        return bool(samples)

    def _checked(self, batch: Batch) -> Batch:
        x, y, w = batch
        if x is None:
            raise ValueError(
                f"{self.where}: a batch must be (x, y) or (x, y, sample_weight); got None for x"
            )
        samples = check_samples(self.where, x, y)
        if self.loss is not None:
            check_targets(self.loss, y)
        if w is not None:
            checked_weights(self.where, w, samples)
        self._check_like_first(batch)
        if self.class_weight is not None:
            w = weights_of(y, w, self.class_weight, self.where)
        ways: list[Callable[[Any], Any] | None] = []

        def native(part: Any) -> Any:
            ways.append(self._way(part))
            return part if ways[-1] is None else ways[-1](part)

        ready: Batch = mapped(native, (x, y, w))
        of_tensors = all(part is None or hasattr(part, "dtype") for part in batch)
        # Those of arrays, and with weights of classes, are looked at each time.
        if of_tensors and not any(isinstance(part, np.ndarray) for part in (x, y, w)):
            following = iter(ways)
            self.known = [
                None if p is None else (type(p), p.dtype, list(p.shape[1:]), next(following))
                for p in batch
            ]
            self.is_native = not any(ways)
        return ready

    def _way(self, part: Any) -> Callable[[Any], Any] | None:
        """How this tensor and those like it become native; None when they are."""
        if isinstance(part, np.ndarray):
            return lambda array: self.backend.from_numpy(np.asarray(array, order="C"), self.device)
        if self.backend.is_tensor(part) and (
            self.device is None or self.backend.device_of(part) == self.device
        ):
            return None
        if owner_of(part) is None:
            raise TypeError(
                f"{self.where}: a batch must be of arrays and tensors; got a "
                f"{type(part).__module__}.{type(part).__qualname__}: give numpy.asarray of it"
            )
        return partial(self.backend.taken, device=self.device)

    def _check_like_first(self, batch: Batch) -> None:
        tensors = list(tensors_in(batch))
        layout, kinds = Layout(batch), [(len(t.shape), str(t.dtype)) for t in tensors]
        if self.first is None:
            self.first, self.rows = (layout, kinds), [tuple(t.shape[1:]) for t in tensors]
        if (layout, kinds) != self.first:
            raise ValueError(
                f"{self.where}: each batch must be like the first but for the number of samples; "
                f"got {described(layout, kinds)} after {described(*self.first)}"
            )

    def unlike_first(self, batch: Batch) -> str | None:
        """How the rows of a batch differ from those of the first, in words, if they do."""
        rows = [tuple(t.shape[1:]) for t in tensors_in(batch)]
        changed = [(a, b) for a, b in zip(rows, self.rows, strict=False) if a != b]
        return f"samples of shape {changed[0][0]} after {changed[0][1]}" if changed else None


def described(layout: Layout, kinds: list[tuple[int, str]]) -> str:
    """The tensors of a batch, in words."""
    described_kinds = layout.of(f"{axes} axes of {dtype}" for axes, dtype in kinds)
    return str(tuple(part for part in described_kinds if part is not None)).replace("'", "")
