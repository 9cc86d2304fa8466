"""Networks made with other than default arguments, in a module that another process can import."""

import unified_blocks as ub


class Scaled(ub.MLP):
    """A user's own subclass of a built-in, with arguments of its own."""

    def __init__(self, width, factor=1.0):
        super().__init__(width, 3)
        self.factor = factor

    def forward(self, X):
        return super().forward(X) * self.factor


def shared():
    layer = ub.Dense(6, activation="tanh")
    return ub.MySequential(layer, layer, ub.MySequential(layer, ub.ReLU(), ub.Dense(2)))


def native():
    """A class that extends a native class, found by its name in this module."""
    name = ub.get_backend().name
    if f"Native_{name}" not in globals():
        made = type(f"Native_{name}", (ub.MLP.on(name),), {"__module__": __name__})
        if name == "tensorflow":  # Keras asks its own users to do so
            made = __import__("keras").saving.register_keras_serializable("tests")(made)
        globals()[f"Native_{name}"] = made
    return globals()[f"Native_{name}"](5, 3)


NETS = {
    "native": native,
    "mlp": lambda: ub.MLP(5, 3),
    "mlp with a width": lambda: ub.MLP(hidden_units=7, in_units=6),
    "fixed": lambda: ub.FixedHiddenMLP(6, activation=None),
    "nest": lambda: ub.NestMLP(out_activation="tanh"),
    "dense": lambda: ub.Dense(4, activation="sigmoid", use_bias=False),
    "shared": shared,
    "nested": lambda: ub.MySequential(Scaled(5, factor=2.5), ub.Dense(6), ub.FixedHiddenMLP(6)),
    "own": lambda: Scaled(5, factor=0.5),
}
