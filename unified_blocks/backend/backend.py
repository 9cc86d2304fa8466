"""`Backend`: all that this library asks of a framework.

A fourth framework is one subclass of `Backend`, a native class of each portable layer, an
implementation of `ub.ops`, and one entry point in the group `unified_blocks.backends`, named as the
framework's import package. Native classes of blocks are made from their portable definitions.

The five duties of a block (see `unified_blocks.block`) meet the framework here: `bind` makes the
calls native (1, 2), `value_and_grad` gives gradients (3), `variables` exposes the numbers (4) and
writes new ones (5).

Words used throughout: a *tensor* is the framework's own array; an *array* is NumPy's; a
variable's *canonical* form is PyTorch's layout, `(out, in)` for a dense weight; a *device* is
`"cpu"`, `"gpu:0"`, `"gpu:1"`, …
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, ClassVar, Literal

from unified_blocks.backend.drawing import draw
from unified_blocks.backend.graph import Graph
from unified_blocks.backend.learner import Learner
from unified_blocks.backend.traces import Evaluation, Trace
from unified_blocks.backend.variable import Variable
from unified_blocks.errors import SharingError, UnsupportedError
from unified_blocks.types import Array

Listener = Callable[[Any, Sequence[Any], Any], None]
"""What is told of a call: the layer, its inputs, and its output, None before there is one."""

Channels = Literal["first", "last"]
"""On which axis the channels are: the one after the batch's, or the last."""


class Backend(Learner):
    """A framework, as this library sees it.

    Example::

        backend = ub.get_backend()
        x = backend.from_numpy(np.zeros((2, 20), "float32"))
        backend.is_tensor(x), backend.dtype_of(x), backend.device_of(x)  # (True, 'float32', 'cpu')
    """

    name: ClassVar[str]
    base_class: ClassVar[type[Any]]
    """The framework's class that portable blocks extend."""
    layer_class: ClassVar[type[Any]]
    """The framework's class of all layers and models."""
    call_errors: ClassVar[tuple[type[Exception], ...]]
    """What the framework raises for an input that it cannot take."""
    own_attributes: ClassVar[frozenset[str]] = frozenset()
    """The attributes that the framework gives to every layer."""
    list_remedy: ClassVar[str | None] = None
    """What to do about layers in a list, when the framework does not find them there."""
    kinds: ClassVar[Mapping[type[Any], str]] = {}
    """What this library calls the framework's own layers: `{nn.Linear: "Dense", …}`."""
    one_thread: Callable[[], AbstractContextManager[Any]] | None = None
    """Inside the `with` it computes with one thread; None where that is settled for a process."""
    graph_kinds: ClassVar[tuple[str, ...]] = ()
    """What the framework calls its ways to run a model as a graph, its default first."""
    lacks: ClassVar[Mapping[str, str]] = {}
    """Why it is without some of `backend.capabilities.CAPABILITIES`, by their names."""
    remarks: ClassVar[Mapping[str, str]] = {}
    """What is to be known about some of those that it has."""
    note: ClassVar[str] = ""
    """What a user of this framework has to know; shown by `unified-blocks doctor`."""

    @abstractmethod
    def bind(self, native: type[Any]) -> type[Any]:
        """Complete a class that extends both a block class and the framework's.

        It owns all that is peculiar to the framework: construction, the call and its errors,
        configuration, pickling. Changes the class in place and returns it.
        """

    def extend(self, native: type[Any]) -> None:  # most frameworks need nothing
        """Prepare a class that extends a native class, which a user may have written."""

    @abstractmethod
    def add_constant(self, net: Any, name: str, array: Array) -> None:
        """Make the attribute `name` of a block a constant that holds `array`.

        It is part of the block's variables, with the role `"constant"`; reading it in a forward
        gives a tensor.
        """

    def add_random_constant(
        self, net: Any, name: str, shape: tuple[int, ...], dtype: str, initializer: str
    ) -> None:
        """As `add_constant`, with numbers that are drawn.

        A framework with a generator of its own draws them, so that its seed determines them. These
        are drawn by one of NumPy that no seed reaches.

        Args:
            net, name: as of `add_constant`.
            shape, dtype: of the constant.
            initializer: one of `backend.drawing.INITIALIZERS`.
        """
        from numpy.random import default_rng

        self.add_constant(net, name, draw(initializer)(default_rng(), shape).astype(dtype))

    @property
    @abstractmethod
    def version(self) -> str:
        """The framework's version."""

    # tensors

    @abstractmethod
    def from_numpy(self, array: Array, device: str | None = None, dtype: str | None = None) -> Any:
        """A tensor that holds a copy of `array`.

        Args:
            array: numbers; any that NumPy has.
            device: of the tensor; if omitted, where the framework puts new ones.
            dtype: of the tensor, which may be bfloat16; if omitted, that of `array`.
        """

    @abstractmethod
    def to_numpy(self, tensor: Any, dtype: str | None = None) -> Array:
        """A copy of the numbers of `tensor`, in its own dtype or in this one of NumPy's."""

    @abstractmethod
    def dtype_of(self, tensor: Any) -> str:
        """The canonical name of the dtype of `tensor`."""

    def exported(self, tensor: Any, read_only: bool) -> Any:
        """`tensor` as an object with `__dlpack__`, in the same memory, its numbers computed.

        Args:
            tensor: one of this framework; the numbers alone are taken, without their gradient.
            read_only: whether who gets it will only read; else no reader may be left behind.

        Raises:
            SharingError: why it cannot be shared: "a tensor on gpu:0".
        """
        raise SharingError(f"a tensor of {self.title}, whose memory cannot be shared")

    def imported(self, source: Any, seen: Array, device: str | None = None) -> Any:
        """A tensor in the memory of `source`, an object with `__dlpack__`, which it keeps alive.

        Args:
            source: aligned numbers in the CPU's memory, without negative strides.
            seen: the same as an array, to look at.
            device: of the tensor; left out, where the framework puts new ones.

        Raises:
            SharingError: why it cannot be shared: "an array that is not contiguous".
        """
        raise SharingError(f"{self.title}, which cannot use foreign memory")

    @abstractmethod
    def is_tensor(self, value: Any) -> bool:
        """Whether `value` is an array of this framework."""

    def tensor_of(self, value: Any) -> Any:
        """An array of an older kind that this framework has too as a tensor, else `value`."""
        return value

    # devices

    @abstractmethod
    def devices(self) -> list[str]:
        """The devices that this framework sees."""

    @abstractmethod
    def device_of(self, tensor: Any) -> str:
        """The device that `tensor` is on."""

    @abstractmethod
    def to_device(self, net: Any, device: str) -> Any:
        """`net`, or where the framework cannot move models a copy of it, on `device`.

        Raises:
            ValueError: `unknown_device`, when the framework has no such device.
        """

    def exact_products(self) -> None:  # most frameworks need nothing
        """Keep the factors of float32 products as they are, on a GPU that would round them too."""

    def unknown_device(self, device: str) -> ValueError:
        """The error for a device that this framework does not have."""
        return ValueError(
            f"on {self.title} here a device must be one of {', '.join(self.devices())}; "
            f"got {device!r}"
        )

    # models

    def kind_of(self, layer: Any) -> str:
        """What a layer or block is called on every framework: by its class, or one it extends."""
        return self.known_kind_of(layer) or type(layer).__name__

    def known_kind_of(self, layer: Any) -> str | None:
        """What this library calls one of the framework's own layers; None of any other."""
        return next((self.kinds[cls] for cls in type(layer).__mro__ if cls in self.kinds), None)

    def channels_of(self, layer: Any) -> Channels | None:
        """On which axis a layer looks for the channels, or features, of what it takes.

        None of one that does not, or of which this is not known.
        """
        return None

    @abstractmethod
    def variables(self, net: Any) -> list[Variable]:
        """The variables of a model in definition order, a shared one once, under its first name."""

    @abstractmethod
    def layers(self, net: Any) -> Iterable[tuple[str, Any]]:
        """`net`, under the name `""`, and every layer inside it, each once with its path."""

    def caller(self, net: Any) -> Callable[..., Any]:
        """`net` as a function that takes each input as an argument, at no cost for those that do.

        For models that take all inputs as one list.
        """
        call: Callable[..., Any] = net
        return call

    def forward_of(self, net: Any) -> Callable[..., Any]:
        """What computes the output of `net`: its parameters have the names of the inputs."""
        forward: Callable[..., Any] = net.forward
        return forward

    @abstractmethod
    def run(self, net: Any, inputs: Sequence[Any] | dict[str, Any], train: bool = False) -> Any:
        """The output of one call of `net` without gradients; the mode is restored after it."""

    @abstractmethod
    def watch(self, net: Any, begins: Listener, ends: Listener) -> AbstractContextManager[Any]:
        """Inside the `with`, tell of each call of `net` and of every layer inside it.

        `begins(layer, inputs, None)` before a call, `ends(layer, inputs, output)` after it. What
        runs as a part of a graph is not told of.
        """

    @abstractmethod
    def inferring(self, net: Any) -> AbstractContextManager[Any]:
        """Inside the `with`, calls of `net` and of its graphs infer, without gradients."""

    def graph(self, net: Any, kind: str, dynamic: bool = False) -> Graph:
        """`net` as a function of its inputs that the framework runs as a graph of this kind.

        It shares the parameters of `net`, which stays as it is. A graph is made when inputs of
        its signature first come. With `dynamic`, graphs are for every size of the inputs' first
        axis where the framework can do that, without a check that the model allows it.

        Raises:
            UnsupportedError: for a model that the framework cannot make a graph of.
        """
        raise UnsupportedError(
            f"to be run as a graph, a model must be of a framework that has them; got one of "
            f"{self.title}: call it as it is"
        )

    @contextmanager
    def compiled(self, net: Any) -> Iterator[Graph]:
        """Inside the `with`, the framework's default graph of `net`, for inference.

        Raises:
            UnsupportedError: as `graph`.
        """
        with self.inferring(net):
            yield self.graph(net, next(iter(self.graph_kinds), ""))

    def inferred(self, net: Any, inputs: Any) -> Any:
        """What `run` gives, inside `inferring`, at no more cost than that of a call."""
        return self.run(net, inputs)

    def repeated(
        self, net: Any, function: Callable[..., Any], key: Any = None
    ) -> Callable[..., Any]:
        """`function` for many calls: where it pays, a graph.

        Args:
            net: what it infers by.
            function: of structures of tensors, or None.
            key: what `function` computes by `net`, and by nothing else; a graph of it may have been
                kept from before. None for what only this function computes.
        """
        return function

    def trace(self, net: Any, inputs: Sequence[Any]) -> Trace:
        """All that `net` does with inputs like these, and its numbers, to be read elsewhere.

        Args:
            net: a network, which stays as it is.
            inputs: an example of each: tensors or arrays, nested as `net` takes them.

        Raises:
            UnsupportedError: for a network that cannot be written down.
        """
        raise UnsupportedError(
            f"to be ported, a network must be one of a framework that is read; got a "
            f"{type(net).__name__} of {self.title}, whose networks are not read yet"
        )

    def evaluate(
        self,
        graph: str,
        arrays: Mapping[str, Array],
        inputs: Mapping[str, Array],
        dtype: str = "float64",
        weights: Sequence[Array] | None = None,
    ) -> Evaluation:
        """What the framework computes of a graph like that of a trace, when it infers.

        Args:
            graph: in the framework's own format.
            arrays: its numbers, by name.
            inputs: an array for each input, by name.
            dtype: that all floating numbers are computed in, whatever the graph says.
            weights: one for each output, of its shape; with them, there are gradients.

        Raises:
            UnsupportedError: for a graph that it cannot compute.
        """
        raise UnsupportedError(
            f"to be computed, a graph must be one of a framework that is read; got one for "
            f"{self.title}, whose graphs are not read yet"
        )

    def finish(self) -> None:  # for frameworks that compute later
        """Wait until all that was begun is computed, and raise what failed in it."""

    @abstractmethod
    def cast(self, net: Any, dtype: str) -> Any:
        """`net`, or where the framework cannot cast models a copy of it, in another dtype."""

    def default_dtype(self) -> str:
        """The dtype of a block that is made without one, where `use_dtype` says nothing."""
        return "float32"

    def native_dtype(self, dtype: str) -> AbstractContextManager[Any]:
        """Inside the `with`, the framework makes layers of this dtype.

        Only for a framework that cannot cast a native model that exists: there is no other way to
        get one in another dtype from a function that makes it.
        """
        return nullcontext()
