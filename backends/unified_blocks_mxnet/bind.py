"""How a block class becomes a `gluon.HybridBlock`."""

# `super(Block, self)` stands in a class that `self` is no instance of: mypy would have it one.
# mypy: disable-error-code="misc"

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from unified_blocks.block import Block
from unified_blocks.block.arguments import give
from unified_blocks.block.attributes import add_constant, hold
from unified_blocks.block.calls import clearer_error, foreign_tensor
from unified_blocks.block.constants import Constant
from unified_blocks.block.construction import construct
from unified_blocks.block.containers import items_of
from unified_blocks.block.pickling import reduce_by_block
from unified_blocks.errors import UnsupportedError
from unified_blocks_mxnet.compat import has_numpy_semantics, mx, nn, numpy_semantics
from unified_blocks_mxnet.hybrid import (
    forward_of,
    hybrid_forward_of,
    legacy_tensor,
    parameters_of,
    traced,
)
from unified_blocks_mxnet.parameters import Uniform, initialize_rest, settle, stopped
from unified_blocks_mxnet.semantics import mixture
from unified_blocks_mxnet.tree import layers_of
from unified_blocks_mxnet.variables import walk

OF_EVERY_BLOCK = frozenset(vars(nn.HybridBlock()))
"""Attributes that Gluon gives to every block, dicts of its parameters among them."""

PLAIN = (bool, int, float, str, type(None))
ARRAY = mx.np.ndarray
NATIVE_INPUTS = frozenset({ARRAY, mx.sym.Symbol, mx.sym.numpy._Symbol})

MODULES = (
    *("activations", "convolutions", "depthwise", "layers", "norms", "pooling", "recurrent"),
    "transposed",
)
LAYERS = frozenset(f"unified_blocks_mxnet.{name}" for name in MODULES)
"""The modules of this library's layers that extend Gluon's."""
NOTHING = object()

call_block = nn.Block.__call__  # a look-up less in every call


def bind(native: Any) -> Any:
    """Complete a class that extends a block class and Gluon's; see `Backend.bind`."""
    bind_constructor(native)
    bind_forward(native)
    give(native, vars(MXNetBlock))
    if not issubclass(native.__bases__[1], Block):  # else they come from there
        native.__getattr__ = MXNetBlock.__getattr__  # the author's would find no constants
        for name in ("save_parameters", "cast"):
            setattr(native, name, mx.util.use_np(getattr(native, name)))
    return native


def has_dtype(name: str) -> str:
    """`name`, if MXNet can compute in it.

    Raises:
        UnsupportedError: when it cannot.
    """
    if name == "bfloat16":
        raise UnsupportedError(
            "on MXNet a dtype must be one of float16, float32, float64; got bfloat16, in which "
            "MXNet 1.9.1 computes nothing: use float32"
        )
    return name


def bind_constructor(native: Any) -> None:
    """Complete the constructor; see `Backend.extend`."""
    construct(native, has_dtype, scope=numpy_semantics, finish=initialize_rest)


def bind_forward(native: Any) -> None:
    """Let Gluon call the forward of a portable class, and `super().forward` call a native one."""
    written = next(cls for cls in native.__mro__ if "forward" in vars(cls))
    portable = not issubclass(written, nn.Block)  # else it is inherited
    if portable and "hybrid_forward" not in vars(native):
        native.hybrid_forward = hybrid_forward_of(vars(written)["forward"])
    if portable or native.__bases__[1] is nn.HybridBlock or native.__module__ not in LAYERS:
        give_forwards(native)
    # Else it is a layer of Gluon's without blocks inside: its own forward does until a class
    # extends it.


def give_forwards(native: Any) -> None:
    """Let `super().forward` call each class that `native` extends."""
    for cls in native.__mro__:
        ours = issubclass(cls, Block) and issubclass(cls, nn.HybridBlock)
        if ours and "forward" not in vars(cls):
            cls.forward = forward_of(cls)


class MXNetBlock:
    """The methods that a native class gets beside those of its `gluon.Block`."""

    def __call__(self: Any, X: Any = NOTHING, /, *others: Any, **named: Any) -> Any:
        try:
            if type(X) in NATIVE_INPUTS and not others and not named:  # nearly every call
                if has_numpy_semantics():
                    if self._forward_pre_hooks or self._forward_hooks:
                        return call_block(self, X)
                    return self.forward(X)  # what Gluon's own call comes to without hooks
                with numpy_semantics():
                    return call_block(self, X) if type(X) is ARRAY else traced(self, (X,))
            args = others if X is NOTHING else (X, *others)
            if named:
                args = by_position(self, args, named)
            for value in args:
                # A forward of operations alone would take any framework's.
                if type(value) is mx.nd.NDArray:
                    raise legacy_tensor(self)
                if type(value) not in NATIVE_INPUTS and (
                    foreign := foreign_tensor(self, self._native.backend, value)
                ):
                    raise foreign
            legacy = not has_numpy_semantics() and any(isinstance(x, mx.sym.Symbol) for x in args)
            with numpy_semantics():
                return traced(self, args) if legacy else call_block(self, *args)
        except Exception as error:
            args = (*(() if X is NOTHING else (X,)), *others, *named.values())
            clearer = mixture(self, error) or clearer_error(self, self._native.backend, args, error)
            if clearer is error:
                raise
            raise clearer from error

    def __setattr__(self: Any, name: str, value: Any) -> None:
        if isinstance(value, Constant):
            add_constant(self, name, value)
            return
        if name in OF_EVERY_BLOCK:
            super(Block, self).__setattr__(name, value)
            return
        if type(value) not in PLAIN and not isinstance(value, mx.gluon.Parameter):
            value = hold(self, name, value)
        held = vars(self).get(name)
        super(Block, self).__setattr__(name, value)
        if isinstance(held, list | tuple | dict):
            for known in [child for child in self._children if child.startswith(f"{name}.")]:
                del self._children[known]
        if isinstance(value, list | tuple | dict):
            for inside, block in blocks_in(name, value):
                self.register_child(block, inside)

    def __getattr__(self: Any, name: str) -> Any:
        """A constant: as a tensor, or in a graph as a symbol."""
        if name in vars(self).get("_reg_params", {}):
            return parameters_of(self)[name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def initialize(
        self: Any,
        init: Any = None,
        ctx: Any = None,
        verbose: bool = False,
        force_reinit: bool = False,
    ) -> None:
        """Gluon's own `initialize`, with NumPy semantics.

        A block is initialised when it is made, so a call without an initializer only does what is
        left to do, and moves the parameters to `ctx` when it is given. The first call with one
        draws all anew.
        """
        with numpy_semantics():
            if init is None and not force_reinit:
                initialize_rest(self)
                settle(self)
                if ctx is not None:
                    move(self, ctx)
            else:
                super(Block, self).initialize(init or Uniform(), ctx, verbose, force_reinit)

    def load_parameters(
        self: Any, filename: str, ctx: Any = None, *args: Any, **named: Any
    ) -> None:
        """Gluon's own, with NumPy semantics. The parameters are moved to `ctx` when it is given."""
        with numpy_semantics():
            if ctx is not None:
                move(self, ctx)
            super(Block, self).load_parameters(filename, ctx, *args, **named)

    def export(self: Any, *args: Any, **named: Any) -> None:
        """Gluon's own, with NumPy semantics. A constant stays one in the file."""
        with numpy_semantics(), stopped(self):
            super(Block, self).export(*args, **named)

    def register_child(self: Any, block: Any, name: str | None = None) -> None:
        """Gluon's own, for any block: one that holds a block without a graph has none itself."""
        nn.Block.register_child(self, block, name)
        self._clear_cached_op()

    def hybridize(self: Any, active: bool = True, **kwargs: Any) -> None:
        """Gluon's own; a block that holds one without a graph hybridizes the others inside it."""
        whole = all(isinstance(block, nn.HybridBlock) for _, block in layers_of(self))
        nn.HybridBlock.hybridize(self, active and whole, **kwargs)
        if active and not whole:
            for child in self._children.values():
                child.hybridize(active, **kwargs)

    def __reduce_ex__(self: Any, protocol: Any) -> tuple[Any, ...]:
        if isinstance(self, mx.gluon.HybridBlock):
            self._clear_cached_op()  # a compiled graph is not copied; the next call makes it anew
        return reduce_by_block(self, protocol)

    def __setstate__(self: Any, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        with numpy_semantics():
            for variable in walk(self):
                parameter = variable.parameter
                parameter._var = None  # a pickled symbol comes back without NumPy semantics
                wanted = parameter.grad_req
                if wanted != "null":  # MXNet's copies no longer ask for a gradient
                    parameter.grad_req = "null"
                    parameter.grad_req = wanted


def move(net: Any, ctx: Any) -> None:
    """Put the parameters of `net` on a context, or on each of several."""
    for variable in walk(net):
        variable.parameter.reset_ctx(ctx)


def by_position(net: Any, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
    """All inputs of a call in their order, since Gluon takes none by name.

    Raises:
        TypeError: for a name that the portable forward does not take by position too, or where
            there is none, that of Gluon's layer.
    """
    parameters = inputs_of(net)
    places = [
        name for name, p in parameters.items() if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]
    for name in named:
        if name not in places:
            raise TypeError(
                f"{type(net).__name__} on MXNet: an input given by name must be one that its "
                f"portable forward takes by position too; got {name}: give it by position"
            )
    bound = inspect.Signature(list(parameters.values())).bind(net, *args, **named)
    bound.apply_defaults()
    last = max(len(args), *(places.index(name) for name in named))  # the net itself is the first
    return bound.args[1 : last + 1]


def inputs_of(net: Any) -> Mapping[str, inspect.Parameter]:
    """The parameters of the forward of `net`, itself the first; of Gluon's its inputs alone."""
    forward = next((vars(cls)["forward"] for cls in portable_classes(net)), None)
    if forward is not None:
        return inspect.signature(forward).parameters
    parameters = inspect.signature(type(net).hybrid_forward).parameters
    return {
        name: p for name, p in parameters.items() if name != "F" and name not in net._reg_params
    }


def portable_classes(net: Any) -> Iterator[type[Any]]:
    """The classes of `net` that have a portable forward, the nearest first."""
    return (
        cls for cls in type(net).__mro__ if "forward" in vars(cls) and not issubclass(cls, nn.Block)
    )


def blocks_in(name: str, container: Any) -> Iterator[tuple[str, Any]]:
    """The blocks in a list, tuple or dict, with their names."""
    for key, item in items_of(container):
        if isinstance(item, list | tuple | dict):
            yield from blocks_in(f"{name}.{key}", item)
        elif isinstance(item, nn.Block):
            yield f"{name}.{key}", item
