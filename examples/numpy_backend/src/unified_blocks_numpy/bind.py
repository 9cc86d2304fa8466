"""How a block class becomes a `Module`."""

from numpy_tape import Module

from unified_blocks.block.arguments import give
from unified_blocks.block.attributes import add_constant, hold
from unified_blocks.block.calls import clearer_error, foreign_tensor
from unified_blocks.block.constants import Constant
from unified_blocks.block.construction import construct
from unified_blocks.block.pickling import reduce_by_block
from unified_blocks.errors import UnsupportedError


def has_dtype(dtype):
    """`dtype`, if NumPy has it."""
    if dtype == "bfloat16":
        raise UnsupportedError(
            "on NumPy a dtype must be one of float16, float32, float64; got bfloat16, which NumPy "
            "lacks: use float32"
        )
    return dtype


class TapeBlock:
    """The methods that a block has on the tape, beside those of `Module`."""

    def __call__(self, *inputs, **named):
        backend, given = self._native.backend, [*inputs, *named.values()]
        try:
            for value in given:
                if foreign := foreign_tensor(self, backend, value):
                    raise foreign
            return Module.__call__(self, *inputs, **named)
        except Exception as error:
            clearer = clearer_error(self, backend, given, error)
            if clearer is error:
                raise
            raise clearer from error

    def __setattr__(self, name, value):
        if isinstance(value, Constant):
            add_constant(self, name, value)
        else:
            object.__setattr__(self, name, hold(self, name, value))

    def __reduce_ex__(self, protocol):
        return reduce_by_block(self, protocol)


def bind(native):
    construct(native, has_dtype)
    give(native, vars(TapeBlock))
    return native
