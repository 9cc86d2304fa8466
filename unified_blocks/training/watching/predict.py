"""`predict`: the outputs of a model on some data, as NumPy arrays."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from unified_blocks import ops
from unified_blocks.backend.tensors import numbers_of
from unified_blocks.training.data.batches import first_of, mapped, tensors_in
from unified_blocks.training.watching.outputs import Outputs, batches_of
from unified_blocks.training.watching.progress import samples_bar

MOST = 2**24
"""How many numbers of outputs wait on the device: 64 MiB of them in float32."""


def predict(net: Any, x: Any, *, batch_size: int | None = None, progress: bool = False) -> Any:
    """The outputs of a model, in inference mode.

    Args:
        net: a built model of any framework.
        x: inputs, as `fit` takes them; of a loader of `(x, y)` the targets are not looked at.
        batch_size: how many samples to run at once; left out, at most 8192. The device holds the
            outputs of two batches, or 64 MiB of them; the others are in the memory of the host.
            Of a loader it is the loader's.
        progress: whether to draw a bar; only in a terminal, and where Rich is installed.

    Returns:
        A NumPy array, or a tuple, list or dict of them, as the model gives; bfloat16 as float32.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
        TypeError: another framework's tensor.
        ValueError: no samples, a batch size beside a loader, or outputs of which the first axis is
            not that of the samples, when they come in several batches.

    Example::

        net = ub.build(ub.MLP(16, 4), (8, 2))
        ub.predict(net, np.ones((8, 2), "float32")).shape  # (8, 4)
    """
    outputs = Outputs(net, "predict")
    sizes: list[int] = []
    found = Fetched(outputs, sizes)
    with samples_bar("predict", x, progress) as told:

        def inputs() -> Any:
            for batch in batches_of("predict", outputs, (x, None, None), batch_size):
                sizes.append(first_of(batch[0]).shape[0])
                told(sizes[-1])
                yield batch[0], None, None

        outputs.each(inputs(), found.add)
    return found.all()


class Fetched:
    """The outputs of batches, as arrays. Many come to the host at once, for each time waits.

    Args:
        outputs: gives them.
        sizes: how many samples each batch has, as they come.
    """

    def __init__(self, outputs: Outputs, sizes: list[int]) -> None:
        self.outputs, self.sizes = outputs, sizes
        self.waiting: list[Any] = []
        self.held = self.done = 0
        self.parts: list[Any] = []

    def add(self, output: Any) -> None:
        """The output of the next batch."""
        self.waiting.append(output)
        if hasattr(output, "shape"):  # nearly each
            size = prod(output.shape)
        else:
            size = sum(prod(tensor.shape) for tensor in tensors_in(output))
        self.held += size
        if self.held > MOST and len(self.waiting) > 1:
            last = self.waiting.pop()  # the device computes it while the others come to the host
            self.fetch()
            self.waiting, self.held = [last], size

    def fetch(self) -> None:
        """Let those that wait come to the host."""
        backend, of_each = self.outputs.backend, [list(tensors_in(each)) for each in self.waiting]
        sizes = self.sizes[self.done : self.done + len(self.waiting)]
        if len(self.sizes) > 1:
            for tensors in zip(*of_each, strict=True):
                check_samples_first([tuple(tensor.shape) for tensor in tensors], sizes)
        with backend.inferring(self.outputs.net):
            columns = [
                tensors[0] if len(tensors) == 1 else ops.concat(tensors)
                for tensors in zip(*of_each, strict=True)
            ]
            arrays = iter([numbers_of(backend, tensor)[0] for tensor in columns])
        self.parts.append(mapped(lambda _: next(arrays), self.waiting[0]))
        self.done += len(sizes)
        self.waiting, self.held = [], 0

    def all(self) -> Any:
        """All of them.

        Raises:
            ValueError: for none.
        """
        if self.waiting:
            self.fetch()
        if not self.parts:
            raise ValueError("predict: x must hold a sample at least; got none")
        if len(self.parts) == 1:
            return self.parts[0]
        columns = zip(*map(tensors_in, self.parts), strict=True)
        arrays = iter([np.concatenate(column) for column in columns])
        return mapped(lambda _: next(arrays), self.parts[0])


def check_samples_first(shapes: list[tuple[int, ...]], sizes: list[int]) -> None:
    """Check that outputs of batches of these sizes can be joined.

    Raises:
        ValueError: for others.
    """
    if [shape[:1] for shape in shapes] != [(size,) for size in sizes]:
        raise ValueError(
            "predict: for several batches an output must have an axis of samples, the first; got "
            f"shape {shapes[0]} for {sizes[0]} samples: give a batch_size that holds all"
        )
    if unlike := [shape for shape in shapes if shape[1:] != shapes[0][1:]]:
        raise ValueError(
            "predict: for several batches an output must have one shape but for the number of "
            f"samples; got {shapes[0]} and {unlike[0]}: give a batch_size that holds all"
        )
