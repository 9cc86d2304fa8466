"""Operations on each number by itself."""

from __future__ import annotations

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.elementwise import Clip, Dropout, Elementwise
from unified_blocks.porting.writing.pieces import Slot, call, text
from unified_blocks.porting.writing.pytorch.vocabulary import writes
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
    "negative": "-{}",
    "add": "{} + {}",
    "subtract": "{} - {}",
    "multiply": "{} * {}",
    "divide": "{} / {}",
    "power": "{} ** {}",
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
    if name in LAYERS:
        layer, function = LAYERS[name]
        return Word(text(layer), expression=text(function, *node.inputs))
    if name in EXPRESSIONS:
        return Word(expression=text(EXPRESSIONS[name], *node.inputs))
    raise UnsupportedError(f"{name} is no function of PyTorch")


@writes(Clip)
def clip(operation: Clip, node: Node) -> Word:
    (x,) = node.inputs
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
