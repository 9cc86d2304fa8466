"""Operations on each number by itself."""

from __future__ import annotations

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.elementwise import (
    Cast,
    Clip,
    Dropout,
    Elementwise,
    StopGradient,
    Where,
)
from unified_blocks.porting.writing.pieces import Slot, call, text
from unified_blocks.porting.writing.pytorch.vocabulary import dtype_of, writes
from unified_blocks.porting.writing.words import Word

LAYERS = {
    "relu": ("nn.ReLU()", "F.relu({})"),
    "relu6": ("nn.ReLU6()", "F.relu6({})"),
    "sigmoid": ("nn.Sigmoid()", "torch.sigmoid({})"),
    "tanh": ("nn.Tanh()", "torch.tanh({})"),
    "softsign": ("nn.Softsign()", "F.softsign({})"),
    "softplus": ("nn.Softplus()", "F.softplus({})"),
    "elu": ("nn.ELU()", "F.elu({})"),
    "selu": ("nn.SELU()", "F.selu({})"),
    "gelu": ("nn.GELU()", "F.gelu({})"),
    "gelu_tanh": ('nn.GELU(approximate="tanh")', 'F.gelu({}, approximate="tanh")'),
    "silu": ("nn.SiLU()", "F.silu({})"),
    "mish": ("nn.Mish()", "F.mish({})"),
    "leaky_relu": ("nn.LeakyReLU()", "F.leaky_relu({})"),
    "hard_swish": ("nn.Hardswish()", "F.hardswish({})"),
    "hard_sigmoid": ("nn.Hardsigmoid()", "F.hardsigmoid({})"),
}
"""Of each function that is a layer, too: the layer, and the function."""

EXPRESSIONS = {
    **{name: f"torch.{name}({{}})" for name in ("exp", "log", "sqrt", "square", "abs", "floor")},
    **{name: f"torch.{name}({{}})" for name in ("ceil", "sign", "sin", "cos", "erf")},
    **{name: f"torch.{name}({{}})" for name in ("tan", "sinh", "cosh", "trunc", "expm1")},
    **{name: f"torch.{name}({{}})" for name in ("log1p", "log2", "log10", "rsqrt")},
    **{f"arc{name}": f"torch.a{name}({{}})" for name in ("sin", "cos", "tan")},
    "log_sigmoid": "F.logsigmoid({})",
    "reciprocal": "1 / {}",
    "modulo": "{} % {}",
    "quotient": 'torch.div({}, {}, rounding_mode="trunc")',
    "logical_and": "{} & {}",
    "logical_or": "{} | {}",
    "logical_xor": "torch.logical_xor({}, {})",
    "logical_not": "~{}",
    "negative": "-{}",
    "add": "{} + {}",
    "subtract": "{} - {}",
    "multiply": "{} * {}",
    "divide": "{} / {}",
    "power": "{}.pow({})",
    "maximum": "torch.maximum({}, {})",
    "minimum": "torch.minimum({}, {})",
    "equal": "{} == {}",
    "not_equal": "{} != {}",
    "greater": "{} > {}",
    "less": "{} < {}",
    "greater_equal": "{} >= {}",
    "less_equal": "{} <= {}",
}


@writes(Elementwise)
def elementwise(operation: Elementwise, node: Node) -> Word:
    name = operation.function
    scalars = [getattr(each, "scalar", None) for each in node.inputs]
    if name in ("maximum", "minimum") and any(each is not None for each in scalars):
        values = [v for v, scalar in zip(node.inputs, scalars, strict=True) if scalar is None]
        number = next(v for v, s in zip(node.inputs, scalars, strict=True) if s is not None)
        bound = "min" if name == "maximum" else "max"
        return Word(expression=text("{}.clamp(" + bound + "={})", *values[:1], number))
    if name == "power" and scalars[0] is not None:
        return Word(expression=call("torch.pow", *node.inputs))
    if name in LAYERS:
        layer, function = LAYERS[name]
        return Word(text(layer), expression=text(function, *node.inputs))
    if name in EXPRESSIONS:
        return Word(expression=text(EXPRESSIONS[name], *node.inputs))
    raise UnsupportedError(f"{name} is no function of PyTorch")


@writes(Clip)
def clip(operation: Clip, node: Node) -> Word:
    (x,) = node.inputs
    if x.dtype.startswith("int"):
        inside = Slot(int(operation.low), "low"), Slot(int(operation.high), "high")
        return Word(expression=text("{}.clamp({}, {})", x, *inside))
    if (operation.low, operation.high) == (0, 6):
        return Word(text("nn.ReLU6()"), expression=text("F.relu6({})", x))
    low, high = Slot(operation.low, "low"), Slot(operation.high, "high")
    layer = call("nn.Hardtanh", low, high)
    return Word(layer, expression=text("{}.clamp({}, {})", x, low, high))


@writes(Dropout)
def dropout(operation: Dropout, node: Node) -> Word:
    rank = node.inputs[0].rank
    if not operation.axes:
        return Word(call("nn.Dropout", p=(operation.rate, 0.5)))
    if operation.axes == tuple(range(2, rank)) and 3 <= rank <= 5:  # whole channels
        return Word(call(f"nn.Dropout{rank - 2}d", p=(operation.rate, 0.5)))
    raise UnsupportedError(f"Dropout along axes {operation.axes} is no layer of PyTorch")


METHODS = {
    "float16": "half",
    "float32": "float",
    "float64": "double",
    "int32": "int",
    "int64": "long",
    "bool": "bool",
}


@writes(Cast)
def cast(operation: Cast, node: Node) -> Word:
    method = METHODS.get(operation.dtype)
    inside = f"{{}}.{method}()" if method else f"{{}}.to({dtype_of(node)})"
    return Word(expression=text(inside, *node.inputs))


@writes(Where)
def where(operation: Where, node: Node) -> Word:
    return Word(expression=text("torch.where({}, {}, {})", *node.inputs))


@writes(StopGradient)
def stop_gradient(operation: StopGradient, node: Node) -> Word:
    return Word(expression=text("{}.detach()", *node.inputs))
