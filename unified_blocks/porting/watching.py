"""A port at work: what each of its layers gives, in the order of axes that its graph has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from unified_blocks.backend import Backend
from unified_blocks.backend.tensors import numbers_of
from unified_blocks.dtypes import FLOAT_DTYPES, use_dtype
from unified_blocks.models.outputs import tensors_in
from unified_blocks.porting.graph import Value
from unified_blocks.porting.writing.written import Called
from unified_blocks.types import Array

See = Callable[[str, Sequence[Called], Array], None]
WIDE = "float64"


class Running:
    """The network of a port in float64.

    Attributes:
        backend: of its framework.
        net: the network.
    """

    def __init__(self, port: Any) -> None:
        self.port = port
        self.backend: Backend = port.target.load_backend()
        with use_dtype(WIDE), self.backend.native_dtype(WIDE):
            self.net = port.loaded(WIDE)
        dtypes = {v.dtype for v in self.backend.variables(self.net)} & {*FLOAT_DTYPES}
        if dtypes - {WIDE}:
            self.net = self.backend.cast(self.net, WIDE)

    def tensors(self, inputs: Mapping[str, Array]) -> list[Any]:
        """Inputs by name as the network takes them."""
        arrays = [np.asarray(inputs[value.name]) for value in self.port.graph.inputs]
        wide = [each.astype(WIDE) if each.dtype.kind == "f" else each for each in arrays]
        laid = map(self.there, self.port.graph.inputs, wide)
        return [self.backend.from_numpy(np.ascontiguousarray(each)) for each in laid]

    def there(self, value: Value, array: Array) -> Array:
        """The numbers of a value in the order of axes that the network has."""
        order = self.port.turned.get(value)
        return array if order is None else array.transpose(order)

    def here(self, value: Value, array: Array) -> Array:
        """What the network has of a value, in the order of axes that the graph has."""
        order = self.port.turned.get(value, ())
        return array.transpose(np.argsort(order)) if array.ndim == len(order) > 0 else array

    def run(self, inputs: Mapping[str, Array], see: See) -> list[Array]:
        """Run the network once.

        Args:
            inputs: by name.
            see: is told of each call of a layer or block that `Written.layers` names: its name, all
                its calls in the graph, and what it gave, the first where it gave several.

        Returns:
            Its outputs.
        """
        names = {id(layer): path for path, layer in self.backend.layers(self.net)}
        layers = self.port.layers

        def ends(layer: Any, _: Sequence[Any], output: Any) -> None:
            name = names.get(id(layer), "")
            if name in layers:
                see(name, layers[name], arrays_in(self.backend, output)[0])

        with self.backend.native_dtype(WIDE), self.backend.watch(self.net, _nothing, ends):
            output = self.backend.run(self.net, self.tensors(inputs))
        return arrays_in(self.backend, output)


def _nothing(*_: Any) -> None:
    pass


def arrays_in(backend: Backend, output: Any) -> list[Array]:
    """The tensors of an output, in order."""
    return [numbers_of(backend, tensor)[0] for _, tensor in tensors_in(backend, output)]


def in_order(array: Array, called: Called) -> Array:
    """What a layer gave, with its axes as the graph has them."""
    order = called.order
    return array.transpose(np.argsort(order)) if array.ndim == len(order) > 0 else array


def assigned(errors: Sequence[Sequence[float]]) -> dict[int, int]:
    """For each call of a layer the one value that it stands for, the nearest first.

    The source may call a layer in another order than the graph; but a call stands for one value
    only, and a value for one call.

    Args:
        errors: of each call, how far it is from each value.
    """
    pairs = [(error, i, k) for i, row in enumerate(errors) for k, error in enumerate(row)]
    found: dict[int, int] = {}
    for _, i, k in sorted(pairs):
        if i not in found and k not in found.values():
            found[i] = k
    return found


def distance(array: Array, expected: Array) -> float:
    """The largest difference of two arrays, relative to the largest number of the expected one."""
    if array.shape != expected.shape:
        return float("inf")
    a, b = array.astype(np.float64), expected.astype(np.float64)
    with np.errstate(all="ignore"):
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        apart = np.where(same, 0.0, np.abs(a - b))
        largest = np.abs(b[np.isfinite(b)]).max(initial=0.0)
    worst = float(apart.max(initial=0.0))
    if not np.isfinite(worst):
        return float("inf")
    return worst / largest if largest > 0 else worst
