"""`Block`: the abstract API of every block, and its dispatch to a native class.

A block has five duties, the same on every framework:

1. it ingests input as the arguments of its forward function: calling the block runs it;
2. it returns an output, whose shape may differ from the input's;
3. it gives gradients, with respect to its parameters and to its input;
4. it stores and exposes its parameters;
5. it initialises them.

Duties 1 and 2 are the native object's call. For duties 3 to 5 each framework has its own API
(`backward`, `parameters`, `initialize`); the functions of this library (`value_and_grad`, `state`,
`initialize`) do them in the same way on all frameworks. They are functions, never methods:
`parameters`, `compile`, `save` or `summary` already mean something in each framework.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from unified_blocks.backend.registry import get_backend, load_backend
from unified_blocks.block.arguments import Arguments, without_self
from unified_blocks.block.names import enter, is_copy
from unified_blocks.block.native_classes import PortableNames, native_classes
from unified_blocks.block.origin import Native, Origin, remember
from unified_blocks.errors import UnsupportedError
from unified_blocks.types import Array, Shape, State

if TYPE_CHECKING:
    from typing import Self

NativeClass = TypeVar("NativeClass", bound=type[Any])

followers: list[Callable[[type[Block]], None]] = []
"""Functions of backends that are called with every new block class."""


class _ClassSignature:
    """The constructor's signature, as `inspect` and notebooks ask for it; of classes only."""

    def __get__(self, instance: Any, owner: type[Block]) -> inspect.Signature:
        if instance is not None:
            raise AttributeError("__signature__")  # a call of the instance has its own
        if owner.__init__ is object.__init__:
            return owner.declared_signature
        return without_self(owner.__init__)


class Block:
    """A part of a neural network: a layer, several layers, or a whole network.

    Making an instance of a block class gives an object of the active backend: a
    `torch.nn.Module`, a `keras.Model` (or `keras.Layer`), a `gluon.Block`. It is also an instance
    of the block class itself, so that `isinstance(net, ub.MLP)` holds on every backend.

    A block class is written once: a constructor that makes layers, blocks and constants, and a
    `forward` in plain Python, over `ub.ops` and the operators of tensors. For each
    backend it has one native class, made on first use from the block class and the framework's
    block class; `native` registers one written by hand in its place.

    Attributes of a block hold layers, blocks, lists, tuples and dicts of them (`blocks.0`,
    `blocks.1`, … by name), and constants (`ub.Constant`). A list or dict is copied when it is
    assigned, and the copy follows its changes. Inside the constructor the block's own backend is
    the default.

    Raises:
        TypeError: when made from a class that has neither a `forward` nor a native class.
        ForeignPartError: (a `TypeError`) when an attribute is given a part of another framework.
        DuplicateBlockError: (a `ValueError`) when defined under the name, `module:qualname`, of
            another block class.
        TypeError: when blocks are put where they would be lost: into a container of another kind,
            or, in the constructor, into a list itself after it was assigned.
        ValueError: for a dict of blocks with keys that cannot be names.

    Example::

        class Residual(ub.Block):
            def __init__(self, units):
                super().__init__()
                self.body = ub.MySequential(ub.Dense(units, activation="relu"), ub.Dense(units))
                self.scale = ub.Constant(0.5)

            def forward(self, X):
                return ub.ops.relu(X + self.scale * self.body(X))

        net = Residual(20)  # on the default backend
        net(ub.from_numpy(np.ones((2, 20), "float32")))  # (2, 20)
        net = Residual.on("tensorflow")(20)  # on this one, whatever the default
        ub.backend_of(net).name  # 'tensorflow'
    """

    declared_signature: ClassVar[inspect.Signature] = inspect.Signature()
    random_constants: Mapping[str, str] = {}  # never changed in place
    """How the constants of this block that are random are drawn, by attribute name."""
    input_parameter: ClassVar[str | None] = None
    """The parameter whose shape tells the width that the input must have; see `expected_shape`."""

    __signature__ = _ClassSignature()
    _portable_on = PortableNames()
    _native: ClassVar[Native | None] = None  # of a native class: what it is
    _origin: Origin  # of an instance

    if TYPE_CHECKING:  # the framework's own

        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        made_here = "_native" in vars(cls)
        if cls._native is not None and not made_here:
            # It extends a native class: it is native itself, on that backend only.
            cls._native = Native(cls._native.backend, cls, is_made=False)
            cls._native.backend.extend(cls)
        if not made_here:
            enter(cls)
        if not is_copy(cls):  # the methods of a copy come later
            for follow in followers:
                follow(cls)

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        native = cls if cls._native is not None else native_classes(get_backend()).get(cls)
        # Only the framework's own __new__ is left to run; Python then calls __init__, once.
        self: Self = super(Block, native).__new__(native)  # type: ignore[misc]
        return self

    @classmethod
    def on(cls, backend: str, *, portable: bool = False) -> type[Self]:
        """The native class of this block on the named backend.

        Args:
            backend: a backend's name or alias.
            portable: whether to give the class made from the portable `forward` also where one
                was written by hand, so that the two can be compared.

        Returns:
            A subclass of this class and of the framework's block class: always the same
            object for the same block and backend.

        Raises:
            UnknownBackendError, BackendImportError: as `set_backend`.
            TypeError: when the block has neither a `forward` nor a native class there.
        """
        natives, block = native_classes(load_backend(backend)), portable_class(cls)
        return natives.from_portable(block) if portable else natives.get(block)

    @classmethod
    def native(cls, backend: str) -> Callable[[NativeClass], NativeClass]:
        """A decorator that registers a class written by hand for one framework.

        Instances made from now on use it in place of the class made from the portable `forward`. It
        must compute the same. It extends first the block class, and then the framework's; what it
        does not define, constructor included, it inherits from the block class.

        Args:
            backend: a backend's name or alias.

        Raises:
            UnknownBackendError, BackendImportError: as `set_backend`.
            TypeError: for a class with other bases.

        Example::

            @Residual.native("torch")
            class FusedResidual(Residual, torch.nn.Module):
                def forward(self, X):
                    return torch.relu(torch.add(X, self.body(X), alpha=0.5))
        """

        def register(native: NativeClass) -> NativeClass:
            native_classes(load_backend(backend)).add(portable_class(cls), native)
            return native

        return register

    def expected_shape(self, shape: Shape, weight: Shape) -> str | None:
        """What the shape of an input must be, in words, when it is not; None when it is.

        Args:
            shape: of an input.
            weight: of `input_parameter`.
        """
        fits = shape[-1:] == weight[1:2]
        return None if fits else f"(n, {weight[1]}), the width"

    @classmethod
    def check_arguments(cls, values: Mapping[str, Any]) -> None:
        """Check the arguments of a constructor together; by their names each one was already.

        Args:
            values: of all parameters, by name.
        """

    def reference(self, state: State, X: Array) -> Array:
        """What this block computes, written in NumPy from its definition.

        Args:
            state: parameters and constants by canonical name.
            X: a batch, `(n, ...)`. Real numbers, or complex ones whose imaginary parts carry a
                derivative (see `unified_blocks.reference.gradients`).

        Raises:
            UnsupportedError: when the block has no written reference.
        """
        raise UnsupportedError(
            f"{type(self).__name__} has no NumPy reference; define `reference(self, state, X)`"
        )


def portable_class(cls: type[Block]) -> type[Any]:
    """The block class that `cls` is native to, or `cls` itself."""
    return cls._native.block if cls._native is not None else cls


def arguments_of(net: Block) -> Arguments:
    """The constructor's arguments that make a block like `net` as it is now."""
    current = getattr(net, "current_arguments", None)
    return current() if current is not None else net._origin.arguments


def argument(net: Block, name: str) -> Any:
    """The value that an argument of the constructor had, given or default.

    The portable constructor of a block that asks for it keeps it as an attribute.
    """
    options = net._origin.options
    return getattr(net, name) if options is None else options[name]


def note_cast(models: Iterable[Any], dtype: str) -> None:
    """Note that the blocks among `models` were cast in place: a copy of one is made in `dtype`."""
    for net in models:
        if isinstance(net, Block):
            remember(net, arguments=net._origin.arguments.with_dtype(dtype))
