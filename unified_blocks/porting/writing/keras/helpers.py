"""Definitions that a source has where it needs them."""

from __future__ import annotations

from unified_blocks.porting.writing.keras.expressions import PARTLY

HELPERS = {
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
}

PARTLY_FROZEN = '''@keras.saving.register_keras_serializable("ported")
class {name}(layers.{kind}):
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
        return PARTLY_FROZEN.format(name=word, kind=word.removeprefix(PARTLY))
    return HELPERS[word]


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
