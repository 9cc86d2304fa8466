"""`compile`: a model as a function that the framework runs in the fastest way it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from unified_blocks.backend import Backend, Graph
from unified_blocks.compiling.figures import Figure, fastest, timed, worst_row
from unified_blocks.equivalence.alignment import rows_of
from unified_blocks.equivalence.recording import in_numpy
from unified_blocks.equivalence.rows import Row
from unified_blocks.errors import UnsupportedError
from unified_blocks.gradients import native_batch
from unified_blocks.tensors import backend_of
from unified_blocks.types import Array
from unified_blocks.variables import built_variables, device_of_variables

EAGER = "eager"
MODES = ("measured", "native")

Outputs = tuple[list[Array], list[str]]


class Compiled:
    """A model as a function of its inputs; see `compile`. Its `repr` shows what was measured.

    Attributes:
        net: the model, whose parameters it uses.
        choice: how it is run: `"eager"`, or what the framework calls it.
        figures: what was measured, eager first; empty with `mode="native"`.
    """

    def __init__(
        self, net: Any, choice: str, function: Callable[..., Any], figures: Sequence[Figure] = ()
    ) -> None:
        self.net, self.choice, self.figures = net, choice, tuple(figures)
        self._function = function

    def __call__(self, *inputs: Any) -> Any:
        return self._function(*inputs)

    @property
    def traces(self) -> int:
        """How many graphs the framework has made for it; 0 of a model that is run eagerly."""
        return self._function.traces if isinstance(self._function, Graph) else 0

    def __repr__(self) -> str:
        title = f"{type(self.net).__name__} on {backend_of(self.net).title}: {self.choice}"
        return "\n  ".join([title, *map(str, self.figures)])


def compile(  # noqa: A001  # as PyTorch and Keras name it
    net: Any, example: Any = None, *, mode: Literal["measured", "native"] = "measured"
) -> Compiled:
    """A model as a function that answers as `net(*inputs)` does, faster where that is possible.

    The framework's ways to run it as a graph are tried on `example`, in inference and without
    gradients: `torch.compile`; `tf.function` without Keras' own call path, with and without XLA;
    `hybridize`, with and without static memory. Of those whose outputs are within the policy of
    `ub.compare` from the eager ones, for another batch size too, and that are faster than eager
    beyond doubt (the 95 % interval of the median paired ratio is below 1), the fastest is chosen.
    When there is none, the model is called as it is: on an input like `example` the function is
    not slower than eager.

    There is one graph for each signature, the dtypes and shapes of the inputs, and where the
    framework can leave the batch size open, and the outputs are right, one for all batch sizes;
    XLA compiles it anew for each that it sees.

    Args:
        net: a built model of any framework. It stays as it is. The function uses its parameters,
            follows changes of their numbers, and records gradients where `net` would. After a
            change of the structure, the device or the dtype compile it again.
        example: an input like those to come, or a tuple of several; tensors of the framework or
            NumPy arrays.
        mode: `"measured"`, or `"native"`: the framework's own default, and nothing is measured.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
        TypeError: another framework's tensor.
        UnsupportedError: with `mode="native"`, when the framework has no graphs.
        ValueError: another mode, or no example to measure with.

    Example::

        fast = ub.compile(net, x)
        print(fast)     # the choice and the figures
        y = fast(x)
    """
    if mode not in MODES:
        raise ValueError(f"compile: mode must be one of {', '.join(MODES)}; got mode={mode!r}")
    backend = backend_of(net)
    device = device_of_variables(built_variables(net, "compile"))
    kinds = backend.graph_kinds(device)
    if mode == "native":
        if not kinds:
            raise UnsupportedError(
                f"compile: with mode='native' the framework must have graphs; got a model of "
                f"{backend.title}, which has none: leave the mode out, and it is called as it is"
            )
        return Compiled(net, kinds[0], backend.graph(net, kinds[0]))
    if example is None:
        raise ValueError(
            "compile: there must be an example to measure with; got none: give an input, or "
            "mode='native'"
        )
    given = example if isinstance(example, tuple) else (example,)
    inputs = [native_batch(backend, value, device) for value in given]
    with backend.inferring(net):
        ways: dict[str, Callable[..., Any]] = {EAGER: net}
        figures = [Figure(EAGER)]
        probes = _probes(net, backend, inputs)
        for kind in kinds:
            graph, figure = _attempt(net, backend, kind, probes)
            figures.append(figure)
            if graph is not None:
                ways[kind] = graph
        calls = {name: (lambda way=way: way(*inputs)) for name, way in ways.items()}
        figures = timed(figures, calls, backend)
    choice = fastest(figures)
    return Compiled(net, choice, ways[choice], figures)


def _probes(net: Any, backend: Backend, inputs: list[Any]) -> list[tuple[list[Any], Outputs]]:
    """Inputs and the eager outputs for them: the example, and if it has one another batch size."""
    probes = [(inputs, in_numpy(backend, net(*inputs)))]
    sizes = {tuple(value.shape)[:1] for value in inputs}
    if len(sizes) == 1 and (size := sizes.pop()):
        rows = np.arange(size[0] + 1) % max(size[0], 1)
        if size[0]:
            larger = [backend.take(value, rows) for value in inputs]
            try:
                probes.append((larger, in_numpy(backend, net(*larger))))
            except backend.call_errors:
                return probes  # the model takes this batch size only
    return probes


def _attempt(
    net: Any, backend: Backend, kind: str, probes: list[tuple[list[Any], Outputs]]
) -> tuple[Graph | None, Figure]:
    """A graph of this kind if it gives what eager gives; with an open batch size if that does."""
    figure = Figure(kind)
    for dynamic in (True, False) if len(probes) > 1 else (False,):
        try:
            graph = backend.graph(net, kind, dynamic)
            worst = worst_row(
                row
                for inputs, expected in probes
                for row in _rows(expected, in_numpy(backend, graph(*inputs)))
            )
        except Exception as error:  # compilers raise anything, and all of it is shown
            figure = Figure(kind, obstacle=f"{type(error).__name__}: {_first_line(error)}")
            continue
        if worst is None or worst.ok:
            return graph, Figure(kind, worst=worst)
        figure = Figure(kind, worst=worst, obstacle="out of tolerance")
    return None, figure


def _rows(expected: Outputs, found: Outputs) -> list[Row]:
    return rows_of("output", "output", expected[0], found[0], (expected[1], found[1]))


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "")
