"""`Stream`: batches of a loader, a generator, or a function that gives one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any

from unified_blocks.backend import Backend, Loss, TrainingStep
from unified_blocks.backend.registry import load_backend, owner_of
from unified_blocks.training.data.batches import Batch, first_of, mass
from unified_blocks.training.data.feed import Feed
from unified_blocks.training.data.source import Masses, Rate, Source, updated
from unified_blocks.training.data.weights import ClassWeight
from unified_blocks.types import Array


class Stream(Source):
    """Batches `(x, y)` or `(x, y, sample_weight)` as they come.

    Args:
        backend, device: whose tensors the batches become, and where.
        batches: a loader of any framework, an iterable of batches, or a function without arguments
            that gives an iterator for each epoch.
        epochs: how often they will be gone through; a generator can be once.
        accumulate: how many batches to an update; the last of an epoch may have fewer.
        class_weight: the weight of each class; None for ones.
        loss: whose targets they are; None to check no targets.

    Raises:
        TypeError: what cannot be gone through in batches.
        ValueError: a generator for several epochs, or a loader without an end.
    """

    def __init__(
        self,
        backend: Backend,
        device: str | None,
        batches: Iterable[Any] | Callable[[], Iterator[Any]],
        *,
        epochs: int = 1,
        accumulate: int = 1,
        class_weight: ClassWeight | None = None,
        loss: Loss | None = None,
    ) -> None:
        self.given, self.batches = batches, loader_of("fit", batches)
        if isinstance(self.batches, Iterator) and epochs > 1:
            raise ValueError(
                "fit: data that can be gone through once is for one epoch; got a "
                f"{type(batches).__name__} and epochs={epochs}: give a function that makes one, "
                "or a list"
            )
        self.accumulate, self.weighted = accumulate, class_weight is not None
        self.feed = Feed(backend, device, class_weight=class_weight, loss=loss)
        self.steps = (
            None if (length := length_of(self.batches)) is None else -(-length // accumulate)
        )
        self.kept: list[Any] = []
        self.following: Iterator[Any] = iter(())
        self.done = 0

    def first(self) -> Batch:
        if not isinstance(self.batches, Iterator):
            found = list(islice(opened(self.batches), 1))
        elif not self.kept:
            found = self.kept = list(islice(self.batches, 1))
        else:
            found = self.kept
        return self.feed.batch(found[0] if found else self._none())

    def begin(self, epoch: int, skip: int = 0) -> None:
        self.following = chain(self.kept, opened(self.batches))
        self.kept = []
        self.done = skip
        for _ in islice(self.following, skip * self.accumulate):
            pass

    def take(
        self, step: TrainingStep, count: int | None = None, rates: Array | None = None
    ) -> tuple[Array, Masses]:
        return self.singly(step, count, rates)

    def each(self, step: TrainingStep, rate: Rate | None = None) -> Iterator[tuple[Any, float]]:
        if self.accumulate > 1 or step.options.group is not None or rate is not None:
            yield from super().each(step, rate)
            return
        for given in self.following:  # in few words, for they are between any two updates
            batch = self.feed.batch(given)
            x, y, w = batch
            self.done += 1
            try:
                value = step.update(x, y) if w is None else updated(step, [batch], 1, None)
            except Exception as error:
                self._explain(error, [batch])
                raise
            yield value, len(first_of(x)) if w is None else mass(batch)
        if not self.done:
            self._none()

    def one(self, step: TrainingStep, rate: Rate | None = None) -> tuple[Any, float] | None:
        if self.accumulate == 1:
            given = next(self.following, None)
            batches = [] if given is None else [self.feed.batch(given)]
        else:
            batches = [self.feed.batch(each) for each in islice(self.following, self.accumulate)]
        if not batches:
            step.ended()
            return None if self.done else self._none()
        self.done += 1
        try:
            value = updated(step, batches, self.accumulate, rate)
        except Exception as error:
            self._explain(error, batches)
            raise
        return value, sum(map(mass, batches)) if step.mass is None else step.mass

    def _explain(self, error: Exception, batches: list[Batch]) -> None:
        """Raise what is wrong with these, if they are unlike the first."""
        unlike = [found for batch in batches if (found := self.feed.unlike_first(batch))]
        if unlike:
            raise ValueError(
                "fit: each batch must be one that the model takes, as it took the first; got "
                f"{unlike[0]}, and {type(error).__name__}: {error}"
            ) from error

    def _none(self) -> Any:
        again = ": a function must make a new one each time" if callable(self.given) else ""
        raise ValueError(
            f"fit: an epoch must have a batch at least; got none from a "
            f"{type(self.given).__name__}{again}"
        )

    def state(self) -> dict[str, Any]:
        return {}

    def load(self, state: dict[str, Any]) -> None:
        """The loader has an order of its own, which `begin` goes through from the start."""


def is_loader(x: Any) -> bool:
    """Whether data is to be gone through, batch by batch: it is no array and no structure of them.

    A list of batches `(x, y)` is a loader; a list of arrays is several inputs.
    """
    if x is None or hasattr(x, "shape") or isinstance(x, (dict, str, bytes)):
        return False
    if isinstance(x, tuple):
        return False
    if isinstance(x, list):
        return (
            bool(x)
            and all(isinstance(batch, (tuple, list)) for batch in x)
            and any(hasattr(part, "shape") for batch in x for part in batch)
        )
    return isinstance(x, Iterable) or callable(x) or hasattr(x, "__getitem__")


def check_of_loader(where: str, loader: Any, batch_size: int | None) -> None:
    """Check that no other size of batches is asked for than the loader's own, if any is.

    Raises:
        ValueError: when it is another.
    """
    if batch_size not in (None, getattr(loader, "batch_size", None)):
        raise ValueError(
            f"{where}: batches are made by the loader, a {type(loader).__name__}; got "
            f"batch_size={batch_size}: leave it out"
        )


def loader_of(where: str, data: Any) -> Iterable[Any] | Callable[[], Iterable[Any]]:
    """What gives the batches of `data`: its framework's way to go through it, or itself.

    Raises:
        TypeError: when it cannot be gone through in batches.
    """
    name = owner_of(data)
    found: Any = load_backend(name).loader_of(data) if name is not None else None
    if found is None:
        found = data
    if not isinstance(found, Iterable) and not callable(found):
        raise TypeError(
            f"{where}: data must be arrays, tensors, a loader, or what gives batches (x, y); got a "
            f"{type(data).__module__}.{type(data).__qualname__}: give numpy.asarray of numbers"
        )
    return found  # type: ignore[no-any-return]  # what it gives is looked at when it comes


def opened(batches: Iterable[Any] | Callable[[], Iterable[Any]]) -> Iterator[Any]:
    """An iterator over the batches of one epoch."""
    return iter(batches if isinstance(batches, Iterable) else batches())


def length_of(batches: Any) -> int | None:
    """How many batches there are, if they say so."""
    try:
        return len(batches)
    except TypeError:  # it has no length, or says that it has none
        return None


def batches_in(
    backend: Backend, device: str | None, data: Any, *, where: str = "evaluate"
) -> Iterator[Batch]:
    """The batches of a loader of any framework, once, as native tensors.

    Raises:
        TypeError, ValueError: as `Stream`.
    """
    feed, found = Feed(backend, device, where=where), False
    for given in opened(loader_of(where, data)):
        found = True
        yield feed.batch(given)
    if not found:
        raise ValueError(
            f"{where}: data must have a batch at least; got none from a {type(data).__name__}"
        )
