"""The table of the weights of every layer, made from layers.

Each array gets numbers of its own. Where a framework's layer then holds these numbers is where the
array is, whatever the framework calls it and however it turns it.
"""

import numpy as np

import unified_blocks as ub

LAYERS = {
    "Dense(16)": (2, 20),
    "Embedding(1000, 16)": (2, 3),
    "Conv1D(8, 5)": (2, 3, 10),
    "Conv2D(8, (5, 7))": (2, 3, 10, 10),
    "Conv3D(8, (2, 5, 7))": (2, 3, 4, 10, 10),
    "Conv1DTranspose(8, 5)": (2, 3, 10),
    "Conv2DTranspose(8, (5, 7))": (2, 3, 10, 10),
    "Conv3DTranspose(8, (2, 5, 7))": (2, 3, 4, 10, 10),
    "DepthwiseConv2D((5, 7), multiplier=2)": (2, 3, 10, 10),
    "SeparableConv2D(8, (5, 7), multiplier=2)": (2, 3, 10, 10),
    "BatchNorm()": (2, 6, 10, 10),
    "LayerNorm()": (2, 3, 6),
    "GroupNorm(2)": (2, 6, 10, 10),
    "InstanceNorm()": (2, 6, 10, 10),
    "RMSNorm()": (2, 3, 6),
    "RNN(8)": (2, 5, 3),
    "LSTM(8)": (2, 5, 3),
    "GRU(8)": (2, 5, 3),
    "RNNCell(8)": (2, 3),
    "LSTMCell(8)": (2, 3),
    "GRUCell(8)": (2, 3),
    "MultiHeadAttention(8, 2)": (2, 5, 6),
    "PReLU()": (2, 3),
}
"""Every layer that has weights, and the shape of an input. No two sizes of an array are the same,
so that one sees which is which."""
TITLES = {"torch": "PyTorch", "tensorflow": "Keras", "mxnet": "Gluon"}


def native_arrays(net: object, backend: str) -> dict[str, np.ndarray]:
    """All that a layer holds, under the framework's own names and in its own shapes."""
    if backend == "torch":
        held = {name: tensor.detach() for name, tensor in net.state_dict().items()}
    elif backend == "tensorflow":
        paths = [each.path.split("/") for each in net.weights]
        first = len({path[0] for path in paths}) == 1  # the name of the layer itself
        held = {
            "/".join(path[first:]): each.value
            for path, each in zip(paths, net.weights, strict=True)
        }
    else:
        held = {name: each.data() for name, each in net._collect_params_with_prefix().items()}
    return {name: ub.to_numpy(tensor) for name, tensor in held.items()}


def numbered(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays of the same shapes, each full of a number that no other has."""
    return {
        name: np.full_like(array, n + 2 if array.dtype.kind == "f" else 0)
        for n, (name, array) in enumerate(state.items())
    }


def rows(layer: str, shape: tuple[int, ...]) -> list[list[str]]:
    """For each array of a layer its name, shape and role, and where each framework has it."""
    found: dict[str, list[str]] = {}
    for backend in ub.available_backends():
        with ub.use_backend(backend), ub.use_dtype("float64"):  # MXNet turns weights of float32
            net = eval(f"ub.{layer}")
            net(ub.from_numpy(np.zeros(shape, "int64" if "Embedding" in layer else "float64")))
        roles = {each.name: each.role for each in ub.get_backend(backend).variables(net)}
        state = ub.state(net)
        ub.load_state(net, marked := numbered(state))
        native = native_arrays(net, backend)
        for name, array in state.items():
            row = found.setdefault(name, [f"`{name}`", f"`{array.shape}`", roles[name]])
            number = marked[name].flat[0]
            places = [
                f"`{theirs}` `{held.shape}`" for theirs, held in native.items() if number in held
            ]
            row.append(", ".join(places) or "–")
    return list(found.values())


def table() -> str:
    """All layers, as Markdown."""
    heads = ["layer", "array", "shape", "role", *(TITLES[b] for b in ub.available_backends())]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for layer, shape in LAYERS.items():
        for n, row in enumerate(rows(layer, shape)):
            lines.append(f"| {'' if n else f'`{layer}`'} | {' | '.join(row)} |")
    return "\n".join(lines)
