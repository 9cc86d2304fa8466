"""`compile`: a model or a training step as a function, run in the fastest way there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

from unified_blocks.backend import EAGER, Backend
from unified_blocks.backend.tensors import backend_of
from unified_blocks.compiling import models, steps
from unified_blocks.compiling.figures import Figure, fastest
from unified_blocks.errors import UnsupportedError
from unified_blocks.models.variables import all_built, device_of_variables
from unified_blocks.training.gradients import native_batch
from unified_blocks.training.losses import check_targets
from unified_blocks.training.trainer import Trainer

COMPILE_MODES = ("measured", "native")


class Compiled:
    """A model, or a training step, as a function; see `compile`. Its `repr` shows the figures.

    Attributes:
        net: the model, whose parameters it uses.
        choice: how it is run: `"eager"`, or what the framework calls it.
        figures: what was measured, the way without compiling first; empty with `mode="native"`.

    Example::

        net = ub.build(ub.MLP(256, 10), (2, 20))
        fast = ub.compile(net, mode="native")  # nothing is measured
        fast.choice  # what the framework calls its graphs
    """

    def __new__(
        cls, title: str, net: Any, choice: str, function: Callable[..., Any], *rest: Any
    ) -> Self:
        # Of a class of its own: calling it is calling the function, with nothing between.
        own: Any = type(cls.__name__, (cls,), {"__call__": staticmethod(function)})
        made: Self = object.__new__(own)
        return made

    def __init__(
        self,
        title: str,
        net: Any,
        choice: str,
        function: Callable[..., Any],
        counted: Any,
        figures: Sequence[Figure] = (),
    ) -> None:
        self.net, self.choice, self.figures = net, choice, tuple(figures)
        self._title, self._counted = title, counted

    if TYPE_CHECKING:

        def __call__(self, *inputs: Any) -> Any: ...

    @property
    def traces(self) -> int:
        """How many graphs the framework has made for it; 0 of what is run eagerly."""
        return getattr(self._counted, "traces", 0)

    def __reduce__(self) -> str:
        raise TypeError(
            f"{self._title}, compiled, must stay where it was measured; got a copy or pickle: copy "
            "or save its net, and compile that"
        )

    def __repr__(self) -> str:
        return "\n  ".join([f"{self._title}: {self.choice}", *map(str, self.figures)])


def compile(  # noqa: A001  # as PyTorch and Keras name it
    net: Any, example: Any = None, *, mode: Literal["measured", "native"] = "measured"
) -> Compiled:
    """A model as a function that answers as `net(*inputs)` does, faster where that is possible.

    The framework's ways to run it as a graph are tried on `example`, in inference and without
    gradients: `torch.compile`; `tf.function` without Keras' own call path, with and without XLA;
    `hybridize`, with and without static memory. Of those whose outputs are within the policy of
    `ub.compare` from the eager ones, for other batch sizes too, and that are faster than eager
    beyond doubt (the 95 % interval of the median paired ratio is below 1), the fastest is chosen.
    When there is none, the model is called as it is: on an input like `example` the function is
    not slower than eager.

    There is one graph for each signature, the dtypes and shapes of the inputs, and where the
    framework can leave the batch size open, and the outputs are right, one for all batch sizes;
    XLA compiles it anew for each that it sees. TensorFlow does not tell whether Python looks at the
    batch size (`if X.shape[0] > 100`): the outputs are compared for one sample, for one more than
    in `example`, and for one more than twice as many.

    Of a `ub.Trainer` the step is compiled, in place: the function is `trainer.step`, and
    `trainer.epoch` runs the same. The ways are tried in training mode with the batch in
    `example`; they have to take the path of the step as it was, and all numbers are put back. A
    step that draws random numbers, with dropout in it, cannot be compared, and stays as it is.

    Args:
        net: a built model of any framework. It stays as it is. The function uses its parameters
            and follows changes of their numbers; after a change of the structure, the hooks, the
            device or the dtype compile it again. What was compared are outputs: through loops, XLA
            and MXNet refuse gradients. Or a `ub.Trainer`, to train.
        example: an input like those to come, or a tuple of several; tensors of the framework or
            NumPy arrays. For a trainer `(x, y)`, or `x` when the loss takes no targets.
        mode: `"measured"`, or `"native"`: the framework's own default, and nothing is measured.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
        TypeError: another framework's tensor.
        UnsupportedError: with `mode="native"`, when the framework has no graphs; otherwise for a
            model that gives no tensor, of which nothing can be compared.
        ValueError: another mode, no example to measure with, or targets that do not fit the loss.

    Example::

        net, x = ub.build(ub.MLP(256, 10), (2, 20)), ub.from_numpy(np.ones((2, 20), "float32"))
        fast = ub.compile(net, x)
        print(fast)  # the choice and the figures
        fast(x)  # (2, 10)
    """
    if mode not in COMPILE_MODES:
        raise ValueError(
            f"compile: mode must be one of {', '.join(COMPILE_MODES)}; got mode={mode!r}"
        )
    if example is None and mode == "measured":
        raise ValueError(
            "compile: there must be an example to measure with; got none: give an input, or "
            "mode='native'"
        )
    given = example if isinstance(example, tuple) else (example,)
    if isinstance(net, Trainer):
        return _compiled_step(net, given, mode)
    backend = backend_of(net)
    title = f"{type(net).__name__} on {backend.title}"
    device = device_of_variables(all_built(net, "compile"))
    if mode == "native":
        kind = _default(backend.graph_kinds, backend)
        graph = backend.graph(net, kind)
        return Compiled(title, net, kind, graph, graph)
    inputs = [native_batch(backend, value, device) for value in given]
    ways, figures = models.measured(net, backend, inputs)
    choice = fastest(figures)
    return Compiled(title, net, choice, ways[choice], ways[choice], figures)


def _compiled_step(trainer: Trainer, batch: tuple[Any, ...], mode: str) -> Compiled:
    step, backend = trainer.training_step, trainer.backend
    if mode == "native":
        choice, figures = _default([k for k in step.kinds if k != EAGER], backend), []
    else:
        x, y = (*batch, None)[:2]
        check_targets(trainer.loss, y)
        x, y = (
            None if value is None else native_batch(backend, value, trainer.device)
            for value in (x, y)
        )
        figures = steps.measured(trainer, x, y)
        choice = fastest(figures)
    step.use(choice)
    title = f"Trainer of {type(trainer.net).__name__} on {backend.title}"
    return Compiled(title, trainer.net, choice, trainer.step, step, figures)


def _default(kinds: Sequence[str], backend: Backend) -> str:
    """What the framework itself would take."""
    if not kinds:
        raise UnsupportedError(
            f"compile: with mode='native' the framework must have graphs; got a model of "
            f"{backend.title}, which has none: leave the mode out, and it is called as it is"
        )
    return kinds[0]
