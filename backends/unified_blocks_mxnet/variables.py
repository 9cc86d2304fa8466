"""The variables of Gluon blocks: names as in `save_parameters`, a norm's as PyTorch has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

import unified_blocks as ub
from unified_blocks.backend import Variable
from unified_blocks.backend.dlpack import Exported
from unified_blocks.errors import SharingError
from unified_blocks.layers.recurrent import Cell
from unified_blocks.types import Array
from unified_blocks_mxnet.compat import mx, nn, rnn
from unified_blocks_mxnet.semantics import kind_of, semantics_of

MXNetError = mx.base.MXNetError
DeferredInitializationError = mx.gluon.parameter.DeferredInitializationError


NORMS = (nn.BatchNorm, nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm)
NORM_NAMES = {"gamma": "weight", "beta": "bias"}
PRELU_NAMES = {"alpha": "weight"}
RECURRENT = (rnn.RNN, rnn.LSTM, rnn.GRU)
CELLS = (rnn.RNNCell, rnn.LSTMCell, rnn.GRUCell)
KINDS = {
    cls: cls.__name__
    for cls in (
        *(nn.Dense, nn.Embedding, nn.BatchNorm, nn.LayerNorm, nn.Conv1D, nn.Conv2D, nn.Conv3D),
        *(nn.Conv1DTranspose, nn.Conv2DTranspose, nn.Conv3DTranspose),
        *(nn.MaxPool1D, nn.MaxPool2D, nn.MaxPool3D, nn.AvgPool1D, nn.AvgPool2D, nn.AvgPool3D),
        *RECURRENT,
        *CELLS,
    )
}
# A norm of instances is one of groups, each of one channel.
KINDS |= {nn.GroupNorm: "GroupNorm", nn.InstanceNorm: "GroupNorm", ub.RMSNorm: "RMSNorm"}
KINDS |= {nn.PReLU: "PReLU"}
"""What this library calls Gluon's own layers."""


class MXNetVariable(Variable):
    """A parameter or constant of a block.

    `left_out` is whether only Gluon has it, and the layer of this library is one without.
    """

    def __init__(
        self, name: str, parameter: mx.gluon.Parameter, owner: Any, net: Any, is_one: bool = False
    ) -> None:
        self.name, self.parameter, self.owner, self.net = name, parameter, owner, net
        self.left_out = any(
            getattr(owner, each) is parameter for each in getattr(owner, "left_out", ())
        )
        constant = isinstance(parameter, mx.gluon.Constant) or not parameter._differentiable
        self.role = "constant" if constant or is_one else "parameter"
        # A batch norm made with scale=False holds a gamma, and computes with 1 in its place.
        self.is_one = is_one or (
            isinstance(owner, nn.BatchNorm)
            and not parameter._differentiable
            and name.rpartition(".")[2] == NORM_NAMES["gamma"]
        )
        self._in_groups(owner._num_groups if isinstance(owner, nn.GroupNorm) else None)
        self.neutral = neutral(owner, parameter)

    def _in_groups(self, groups: int | None) -> None:
        self.groups = groups
        self.per_group = groups is not None and self.shape == (groups,) and not self.left_out

    @property
    def optional(self):  # type: ignore[override]
        """Whether Gluon holds it at what computes nothing, where others hold none.

        Of a block that was not initialised nothing but a state can make it.
        """
        if self.contexts() is None:
            return False
        if self.is_one or self.neutral is None or not self.is_built:
            return self.is_one or self.neutral is not None
        return bool((self.view() == self.neutral).all())

    @property
    def shape(self):
        if self.parameter.shape is None:  # of an imported network, also when the numbers exist
            return tuple(self.parameter.list_data()[0].shape) if self.is_built else None
        return tuple(size if size > 0 else None for size in self.parameter.shape)

    @property
    def dtype(self):
        return str(np.dtype(self.parameter.dtype))

    @property
    def device(self):
        contexts = self.contexts()
        return device_name(contexts[0]) if contexts else None

    @property
    def trainable(self):
        return self.role == "parameter" and self.parameter.grad_req != "null"

    @property
    def is_built(self):
        try:
            self.parameter.list_data()
        except (DeferredInitializationError, RuntimeError):
            return False
        return True

    def freeze(self):
        self.parameter.grad_req = "null"

    def view(self):
        if self.is_one:
            return np.ones(self.shape, self.dtype)
        return viewed(self.parameter.list_data()[0])

    def objection(self, read):
        if self.is_one and not (read() == 1).all():
            return "it must be 1 there, because Gluon's scale=False computes with 1"
        return None

    def contexts(self):
        """Where the numbers are or will be; None of a block that was not initialised."""
        try:
            return self.parameter.list_ctx()
        except RuntimeError:
            return None

    def write(self, array):
        built = self.is_built
        kind = kind_of(self.parameter.list_data()[0]) if built else semantics_of(self.net)
        with kind.scope():
            if not built:
                contexts = self.contexts()
                self.parameter.shape = array.shape
                self.parameter.initialize(init=mx.init.Zero(), ctx=contexts)
            if array.shape == ():  # Gluon's own set_data cannot
                for copy in self.parameter.list_data():
                    copy[()] = array.item()
                return
            if built and may_be_rearranged(
                array.dtype, array.ndim
            ):  # else NumPy cannot write there
                tensor = mx.np.array(array, dtype=array.dtype)
                array = kind_of(self.parameter.list_data()[0]).taken(tensor)
            self.parameter.set_data(array)  # from NumPy's memory: no array of MXNet's between


def neutral(owner: Any, parameter: Any) -> int | None:
    """What a norm made with `scale=False` or `center=False` has at first; None of any other."""
    for attribute, option, value in (("gamma", "scale", 1), ("beta", "center", 0)):
        if isinstance(owner, NORMS) and getattr(owner, attribute) is parameter:
            wanted = owner._kwargs.get(option, parameter._differentiable)
            return None if wanted else value
    return None


SHARED = frozenset(("float16", "float32", "float64", "uint8", "int8", "int32", "int64"))
"""The dtypes that MXNet gives and takes by DLPack."""
REARRANGED = frozenset(("float32", "int8"))
"""The dtypes in which MXNet convolves by oneDNN."""


def check_shared(dtype: Any, ndim: int) -> None:
    """Raise `SharingError` for numbers that MXNet cannot hold in one memory with others."""
    if dtype.name not in SHARED:
        raise SharingError(f"{dtype.name}, which MXNet's DLPack does not support")
    if may_be_rearranged(dtype, ndim):
        raise SharingError(
            f"{dtype.name} of {ndim} dimensions, which a convolution of MXNet may rearrange"
        )


def may_be_rearranged(dtype: Any, ndim: int) -> bool:
    """Whether a convolution that infers may have left its weight in another order.

    It is in the same memory then.
    """
    return ndim > 2 and dtype.name in REARRANGED


def exported(array: Any) -> Exported:
    """An array of the CPU in its own memory, once it is computed.

    Raises:
        SharingError: when a convolution has left it in an order of its own.
    """
    array.wait_to_read()  # what failed in computing it is raised here, and only once
    try:
        array.to_dlpack_for_read()
    except MXNetError as error:
        raise SharingError("numbers that a convolution of MXNet has rearranged") from error
    return Exported(array.to_dlpack_for_read)


def viewed(array: Any) -> Array:
    """The numbers of an array of MXNet now: on the CPU its own memory where it can be, or a copy.

    To look at before MXNet computes again: a convolution rearranges its weights where they are.
    """
    if array.size and array.context.device_type == "cpu" and np.dtype(array.dtype).name in SHARED:
        with suppress(SharingError):
            return np.from_dlpack(exported(array))
    return np.asarray(array.asnumpy())


def variables_of(net: Any) -> list[MXNetVariable]:
    """The variables of `net`; see `Backend.variables`."""
    return [variable for variable in walk(net) if not variable.left_out]


def walk(net: Any) -> list[MXNetVariable]:
    """Everything that `net` holds in Gluon."""
    found: dict[int, MXNetVariable] = {}
    for variable in _walk(net, net, ""):
        first = found.setdefault(id(variable.parameter), variable)
        if first is not variable:
            first.is_also(variable)
    return list(found.values())


def _walk(net: Any, block: Any, path: str) -> Iterator[MXNetVariable]:
    if isinstance(block, mx.gluon.SymbolBlock):
        yield from _of_symbols(net, block, path)
        return
    # Gluon's public collect_params() names by process-wide counters; these two attributes are
    # what its own save_parameters() reads.
    for name, parameter in block._reg_params.items():
        yield MXNetVariable(path + canonical_name(block, name), parameter, block, net)
    for name, child in block._children.items():
        yield from _walk(net, child, f"{path}{name}.")


def canonical_name(block: Any, name: str) -> str:
    """What a parameter that `block` calls `name` is called in it canonically."""
    if isinstance(block, NORMS):
        return NORM_NAMES.get(name, name)
    if isinstance(block, nn.PReLU):
        return PRELU_NAMES.get(name, name)
    if isinstance(block, (*RECURRENT, *CELLS, Cell)):
        from unified_blocks.formats.mxnet.recurrent import canonical_part  # few networks have one

        return canonical_part(name)
    return name


_GRAPHS: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
"""Those of `SymbolBlock`s, which have one for ever."""


def _of_symbols(net: Any, block: Any, path: str) -> list[MXNetVariable]:
    """The variables of a network that was imported: named and ordered as in the file it is from.

    Of a part of a network that file is one of `save_parameters`, which has Gluon's names.
    """
    from unified_blocks.formats.mxnet.graph import of_json  # few networks were imported
    from unified_blocks.formats.mxnet.names import canonical_names

    symbol = block._cached_graph[1]
    graph = _GRAPHS.get(block) or _GRAPHS.setdefault(block, of_json(symbol.tojson()))
    fixed, constant = graph.fixed, set(symbol.list_auxiliary_states())
    variables = [
        MXNetVariable(path + name, parameter, block, net, parameter.name in fixed)
        for name, parameter in block._reg_params.items()
    ]
    given = [variable.parameter.name for variable in variables]
    for variable, name in zip(variables, given, strict=True):
        if name in constant:
            variable.role = "constant"
        variable._in_groups(graph.groups.get(name))
    if path:
        return variables
    names = canonical_names(
        [(n, len(v.shape or ())) for n, v in zip(given, variables, strict=True)]
    )
    for variable, name, stored_name in zip(variables, names, given, strict=True):
        variable.name, variable.stored_name = name, stored_name
    order = graph.order(given, [name.rpartition(".")[0] for name in names])
    return variables if order is None else [variables[i] for i in order]


def device_name(context: mx.Context) -> str:
    """`"cpu"`, `"gpu:0"`, … for MXNet's context."""
    kind, index = context.device_type, context.device_id
    return kind if (kind, index) == ("cpu", 0) else f"{kind}:{index}"
