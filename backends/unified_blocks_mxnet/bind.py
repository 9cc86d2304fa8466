"""How a block class becomes a `gluon.Block`."""

from __future__ import annotations

import functools
from typing import Any

from unified_blocks.arguments import checked, give
from unified_blocks.block import Block
from unified_blocks.calls import explain
from unified_blocks.errors import ForeignTensorError
from unified_blocks.pickling import reduce_by_block
from unified_blocks_mxnet.compat import mx, numpy_semantics
from unified_blocks_mxnet.variables import walk


def bind(native: Any) -> Any:
    """Complete a class that extends a block class and Gluon's; see `Backend.bind`."""
    if "__init__" in vars(native):
        native.__init__ = checked(native.__init__, scope=numpy_semantics, finish=initialize_rest)
        native.__init__.initializes = True
    give(native, __call__, __reduce_ex__, __setstate__, initialize)
    if not issubclass(native.__bases__[1], Block):  # else they come from there
        for name in ("save_parameters", "load_parameters", "cast", "export"):
            if hasattr(native, name):
                setattr(native, name, mx.util.use_np(getattr(native, name)))
    extend(native)
    return native


def extend(native: Any) -> None:
    """Let a constructor that a user wrote end as ours do; see `Backend.extend`."""
    init = native.__init__
    if getattr(init, "initializes", False):
        return

    @functools.wraps(init)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        with numpy_semantics():
            init(self, *args, **kwargs)
            initialize_rest(self)

    __init__.initializes = True  # type: ignore[attr-defined]
    native.__init__ = __init__


class Uniform(mx.init.Uniform):
    """Gluon's default, U(-0.07, 0.07); its own fails in float64 with NumPy semantics."""

    def _init_weight(self, _: Any, arr: Any) -> None:
        drawn = mx.np.random.uniform(-self.scale, self.scale, size=arr.shape, ctx=arr.ctx)
        arr[:] = drawn.astype(arr.dtype)


def initialize(
    self: Any,
    init: Any = None,
    ctx: Any = None,
    verbose: bool = False,
    force_reinit: bool = False,
) -> None:
    """Gluon's own `initialize`, with NumPy semantics.

    A block is initialised when it is made, so a call without an initializer only does what is
    left to do, and moves the parameters to `ctx` when it is given.
    """
    with numpy_semantics():
        if init is None and not force_reinit:
            initialize_rest(self)
            for variable in walk(self) if ctx is not None else ():
                variable.parameter.reset_ctx(ctx)
        else:
            super(Block, self).initialize(init or Uniform(), ctx, verbose, force_reinit)


def initialize_rest(net: Any) -> None:
    """Initialise the parameters that are not yet: blocks given as arguments may be."""
    for variable in walk(net):
        try:
            variable.parameter.list_ctx()
        except RuntimeError:
            variable.parameter.initialize(default_init=Uniform())


def __call__(self: Any, *args: Any) -> Any:
    try:
        with numpy_semantics():
            return super(Block, self).__call__(*args)
    except Exception as error:
        explained = legacy(self, args) or explain(self, self._block_backend, args, error)
        if explained is error:
            raise
        raise explained from error


def legacy(net: Any, inputs: tuple[Any, ...]) -> ForeignTensorError | None:
    """The error for an `mx.nd` array, which has no NumPy semantics."""
    if any(type(value) is mx.nd.NDArray for value in inputs):
        return ForeignTensorError(
            f"{type(net).__name__} on MXNet must be given mx.np arrays; got a legacy mx.nd "
            "array: convert it with x.as_np_ndarray()"
        )
    return None


def __reduce_ex__(self: Any, protocol: Any) -> tuple[Any, ...]:
    if isinstance(self, mx.gluon.HybridBlock):
        self._clear_cached_op()  # a compiled graph is not copied; the next call makes it anew
    return reduce_by_block(self, protocol)


def __setstate__(self: Any, state: dict[str, Any]) -> None:
    self.__dict__.update(state)
    with numpy_semantics():
        for variable in walk(self):  # MXNet's copies no longer ask for a gradient
            wanted = variable.parameter.grad_req
            if wanted != "null":
                variable.parameter.grad_req = "null"
                variable.parameter.grad_req = wanted
