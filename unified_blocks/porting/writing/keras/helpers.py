"""Definitions that a source has where it needs them."""

from __future__ import annotations

from unified_blocks.porting.writing.keras.boxes import BOXES
from unified_blocks.porting.writing.keras.deformable import DEFORMED
from unified_blocks.porting.writing.keras.expressions import PARTLY
from unified_blocks.porting.writing.keras.images import IMAGES

HELPERS = {
    **IMAGES,
    **BOXES,
    "deformed": DEFORMED,
    "Weight": '''@keras.saving.register_keras_serializable("ported")
class Weight(layers.Layer):
    """Numbers that are no other layer's: it gives them, whatever it is called on."""

    def __init__(self, shape: tuple[int, ...], **options: Any) -> None:
        super().__init__(**options)
        self.shape = tuple(shape)
        self.value = self.add_weight(shape=self.shape, name="value")
        self.built = True

    def call(self, x: KerasTensor) -> KerasTensor:
        return ops.convert_to_tensor(self.value)

    def compute_output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return self.shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "shape": self.shape}''',
    "split_heads": '''def split_heads(x: KerasTensor, heads: int) -> KerasTensor:
    """What is `(n, t, heads * d)` as `(n * heads, t, d)`."""
    n, t, width = (size or -1 for size in x.shape)
    x = ops.reshape(x, (n, t, heads, width // heads))
    x = ops.transpose(x, (0, 2, 1, 3))
    return ops.reshape(x, (max(n * heads, -1), t, width // heads))''',
    "split_parts": '''def split_parts(x: KerasTensor, heads: int, parts: int) -> list[KerasTensor]:
    """The parts of each head of `(n, t, heads * parts * d)`, each `(n * heads, t, d)`."""
    n, t, width = (size or -1 for size in x.shape)
    d = width // heads // parts
    x = ops.transpose(ops.reshape(x, (n, t, heads, parts, d)), (3, 0, 2, 1, 4))
    return ops.unstack(ops.reshape(x, (parts, max(n * heads, -1), t, d)), parts)''',
    "merge_heads": '''def merge_heads(x: KerasTensor, heads: int) -> KerasTensor:
    """What is `(n * heads, t, d)` as `(n, t, heads * d)`."""
    rows, t, d = (size or -1 for size in x.shape)
    n = max(rows // heads, -1)
    x = ops.transpose(ops.reshape(x, (n, heads, t, d)), (0, 2, 1, 3))
    return ops.reshape(x, (n, t, heads * d))''',
    "mask_sequences": '''def mask_sequences(
    x: KerasTensor, lengths: KerasTensor, value: float = 0.0
) -> KerasTensor:
    """Sequences `(n, t, ...)` with one number after the end of each."""
    inside = ops.less(ops.arange(x.shape[1]), ops.expand_dims(lengths, 1))
    inside = ops.reshape(inside, (-1, x.shape[1], *[1] * (len(x.shape) - 2)))
    return ops.where(inside, x, ops.cast(value, x.dtype))''',
    "last_steps": '''def last_steps(
    x: KerasTensor, lengths: KerasTensor | None = None
) -> KerasTensor:
    """The last step of each sequence of `(n, t, ...)`."""
    if lengths is None:
        return x[:, -1]
    ends = ops.reshape(ops.cast(lengths, "int32") - 1, (-1, *[1] * (len(x.shape) - 1)))
    return ops.squeeze(ops.take_along_axis(x, ends, axis=1), 1)''',
    "reverse_sequences": '''def reverse_sequences(
    x: KerasTensor, lengths: KerasTensor
) -> KerasTensor:
    """Each sequence of `(n, t, ...)` from its end to its begin; what comes after it stays."""
    steps, ends = ops.arange(x.shape[1]), ops.cast(ops.expand_dims(lengths, 1), "int32")
    places = ops.where(ops.less(steps, ends), ends - 1 - steps, steps)
    places = ops.reshape(places, (-1, x.shape[1], *[1] * (len(x.shape) - 2)))
    return ops.take_along_axis(x, places, axis=1)''',
    "masked_softmax": '''def masked_softmax(x: KerasTensor, lengths: KerasTensor) -> KerasTensor:
    """Softmax of so many numbers; the others are 0, all where the length is 0."""
    inside = ops.less(ops.arange(x.shape[-1]), ops.expand_dims(lengths, -1))
    x = ops.softmax(ops.where(inside, x, ops.cast(-1e30, x.dtype)))
    return ops.where(inside, x, ops.cast(0, x.dtype))''',
    "FixedBatchNormalization": '''@keras.saving.register_keras_serializable("ported")
class FixedBatchNormalization(layers.BatchNormalization):
    """One that uses the statistics it has in training, too, and counts none."""

    def call(
        self, inputs: KerasTensor, training: bool | None = None, mask: Any = None
    ) -> KerasTensor:
        return super().call(inputs, training=False, mask=mask)''',
}

PARTLY_FROZEN = '''@keras.saving.register_keras_serializable("ported")
class {name}({base}):
    """One that training leaves as it is in part: `frozen` names the weights."""

    def __init__(self, *args: Any, frozen: tuple[str, ...], **options: Any) -> None:
        super().__init__(*args, **options)
        self.frozen = tuple(frozen)

    def add_weight(self, *args: Any, **options: Any) -> keras.Variable:
        if options.get("name") in self.frozen:
            options["trainable"] = False
        return super().add_weight(*args, **options)

    def get_config(self) -> dict[str, Any]:
        return {{**super().get_config(), "frozen": self.frozen}}'''


def helper(word: str) -> str:
    """The definition that a word needs."""
    if word.startswith(PARTLY):
        kind = word.removeprefix(PARTLY)
        return PARTLY_FROZEN.format(name=word, base=kind if kind in HELPERS else f"layers.{kind}")
    return HELPERS[word]


BOTH = '''
def weights_of(layer: layers.Layer) -> dict[str, keras.Variable]:
    """The weights of a layer by its name and their own; one of two directions has two layers."""
    if not isinstance(layer, layers.Bidirectional):
        return {f"{layer.name}.{w.name}": w for w in layer.weights}
    return {
        f"{layer.name}.{side}.{w.name}": w
        for side in ("forward_layer", "backward_layer")
        for w in getattr(layer, side).weights
    }
'''
"""What a source needs that has layers of two directions."""


def loader(code: str) -> str:
    """The function that gives the network with its numbers, for the code that makes it."""
    if "layers.Bidirectional(" not in code:
        return LOAD.strip()
    several = """    weights = {
        name: w for layer in model.layers for name, w in weights_of(layer).items()
    }
"""
    return f"{BOTH.strip()}\n\n\n{LOAD.replace(ONE, several).strip()}"


ONE = """    weights = {
        f"{layer.name}.{w.name}": w for layer in model.layers for w in layer.weights
    }
"""
LOAD = '''
def load(path: str = "net.safetensors") -> keras.Model:
    """The network with the numbers of a file: all of them, and no others."""
    model, state = build(), load_file(path)
    weights = {
        f"{layer.name}.{w.name}": w for layer in model.layers for w in layer.weights
    }
    if unfit := sorted(weights.keys() ^ state.keys()):
        raise ValueError(f"{path}: names must be those of the network; got {unfit}")
    for name, weight in weights.items():
        weight.assign(state[name])
    return model
'''
