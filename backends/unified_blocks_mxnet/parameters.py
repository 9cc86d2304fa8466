"""The parameters and constants of this library's blocks: how they begin, and what a file says."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from unified_blocks_mxnet.compat import mx, numpy_semantics
from unified_blocks_mxnet.hybrid import running
from unified_blocks_mxnet.variables import walk


class Uniform(mx.init.Uniform):
    """Gluon's default, U(-0.07, 0.07); its own fails in float64 with NumPy semantics."""

    def _init_weight(self, _: Any, arr: Any) -> None:
        given = {"size": arr.shape, "dtype": str(np.dtype(arr.dtype)), "ctx": arr.ctx}
        mx.np.random.uniform(-self.scale, self.scale, **given, out=arr)


class Fresh(mx.gluon.Parameter):
    """A parameter that its block has initialised when it was made, and nobody else since.

    The next to initialise it is the first, as with any block of Gluon's. Then, or when it gets
    numbers, it becomes a `gluon.Parameter`.
    """

    def settle(self) -> None:
        self.__class__ = mx.gluon.Parameter

    def initialize(
        self,
        init: Any = None,
        ctx: Any = None,
        default_init: Any = None,
        force_reinit: bool = False,
    ) -> None:
        self.settle()
        if default_init is None or type(default_init) is mx.init.Uniform:
            default_init = Uniform(*(() if default_init is None else (default_init.scale,)))
        with numpy_semantics():
            self.initialize(init, ctx, default_init, force_reinit=True)

    def set_data(self, data: Any) -> None:
        self.settle()
        self.set_data(data)

    def _load_init(self, *args: Any, **kwargs: Any) -> None:
        self.settle()
        self._load_init(*args, **kwargs)

    def _set_trainer(self, trainer: Any) -> None:
        self.settle()
        self._set_trainer(trainer)


def initialize_rest(net: Any) -> None:
    """Initialise the parameters that are not yet: blocks given as arguments may be."""
    for variable in walk(net):
        parameter = variable.parameter
        if variable.contexts() is None:
            parameter.initialize(default_init=Uniform())
            if type(parameter) is mx.gluon.Parameter and parameter._data is not None:
                parameter.__class__ = Fresh


def settle(net: Any) -> None:
    """Declare that the parameters of `net` are initialised by who made it."""
    for variable in walk(net):
        if isinstance(variable.parameter, Fresh):
            variable.parameter.settle()


class Given(mx.init.Initializer):
    """Initial numbers that are known."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value

    def _init_weight(self, _: Any, arr: Any) -> None:
        self.value.copyto(arr)


class Frozen(mx.gluon.Constant):
    """A constant; with those of Gluon's it may be a number without dimensions."""

    _var: Any

    def __init__(self, name: str, value: Any) -> None:
        # Not Constant's own: it registers an initializer by the `id` of the instance.
        self.value = value
        mx.gluon.Parameter.__init__(
            self, name, grad_req="null", shape=value.shape, dtype=value.dtype, init=Given(value)
        )

    def initialize(
        self,
        init: Any = None,
        ctx: Any = None,
        default_init: Any = None,
        force_reinit: bool = False,
    ) -> None:
        """Gluon's own, once. Its numbers are what they are, so that a second is no mistake."""
        with numpy_semantics():
            if self._data is None:
                super().initialize(ctx=ctx)
            elif ctx is not None:
                self.reset_ctx(ctx)

    def set_data(self, data: Any) -> None:
        if self.shape != ():
            super().set_data(data)
            return
        with numpy_semantics():  # Gluon's own cannot
            for each in self.list_data():
                each[()] = data.item()

    def var(self) -> Any:
        if running.legacy:
            return self.symbol(self.shape or (1,))  # () is a shape that is not known there
        if self._var is None:
            self._var = self.symbol(self.shape)
        return self._var

    def symbol(self, shape: Any) -> Any:
        # Rates of 0 in the graph are for the tools that read them there.
        given = {"dtype": self.dtype, "lr_mult": 0.0, "wd_mult": 0.0}
        return mx.sym.var(self.name, shape=shape, **given).as_np_ndarray()

    def __reduce__(self) -> tuple[Any, ...]:
        # By its numbers: MXNet copies no array without dimensions outside of NumPy semantics.
        return frozen, (self.name, self.data().asnumpy(), self.list_ctx())


def frozen(name: str, array: Any, devices: Any = None) -> Frozen:
    """A constant that holds `array`."""
    with numpy_semantics():
        constant = Frozen(name, mx.np.array(array, dtype=array.dtype))
        constant.initialize(ctx=devices)
    return constant


def add_constant(net: Any, name: str, array: Any) -> None:
    """See `Backend.add_constant`."""
    constant = frozen(net.prefix + name, array)
    net.params.update({constant.name: constant})
    net._reg_params[name] = constant  # not an attribute: reading it is up to __getattr__


@contextmanager
def stopped(net: Any) -> Iterator[None]:
    """Inside the `with`, the graph of a hybridized block gives its constants no gradient.

    `SymbolBlock.imports` takes every number in a file for a parameter that may be trained; behind
    this operation its gradient is zero.
    """
    graph = net._cached_graph
    constants = {p.name: p for p in net.collect_params().values() if isinstance(p, Frozen)}
    if graph and constants:
        output = copy.copy(graph[1])
        output._compose(
            **{
                name: mx.sym.BlockGrad(constants[name].var().as_nd_ndarray()).as_np_ndarray()
                for name in output.list_arguments()
                if name in constants
            }
        )
        net._cached_graph = graph[0], output
    try:
        yield
    finally:
        net._cached_graph = graph
