"""The deliberate mistakes, each one line of an adapter, a layer or a block, and how it is caught.

Each class of mistake is one that people make: the differences between the tabs of the book's
chapter, and what goes wrong when models are moved from one framework to another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import unified_blocks as ub
from testbed.common import normal
from testbed.mutants import suite
from testbed.mutants.checks import Checked, Compared


@dataclass(frozen=True)
class Mutant:
    """One mistake.

    Attributes:
        backend: where it is made; None in the core, and so on each backend.
        function: where, `"module:Class.method"`.
        old, new: what stands there, and what is put in its place.
        check: how it is caught.
    """

    name: str
    backend: str | None
    function: str
    old: str
    new: str
    check: Compared | Checked


def mlp():
    return ub.MLP(6, 4)


def fixed():
    return ub.FixedHiddenMLP(6)


def nest():
    return ub.NestMLP()


def of(*layers):
    """A layer after a dense one: `0`, `1`."""
    return lambda: ub.MySequential(ub.Dense(6), *(make() for make in layers))


def activated(name):
    return lambda: ub.MySequential(ub.Dense(6, activation=name), ub.Dense(6))


def dense():
    return activated("relu")()


def shared():
    layer = ub.Dense(6, activation="tanh")
    return ub.MySequential(layer, layer)


def parallel():
    return ub.Parallel(ub.Dense(6), ub.Dense(6, activation="tanh"))


def embedding():
    return ub.MySequential(ub.Embedding(7, 5), ub.Dense(3))


IMAGE = normal(3, 4, 2, 5, dtype="float64")
INDICES = np.array([[0, 3, 6], [5, 1, 2]])
TARGETS = {"targets": normal(5, 6, dtype="float64", seed=9)}
LABELS = {"targets": np.arange(5) % 4, "loss": "cross_entropy"}
SGD = {"optimizer": ub.SGD(0.125, momentum=0.875), **TARGETS}
ADAM = {"optimizer": ub.Adam(0.125, epsilon=0.01), **TARGETS}

FIXED_AND_NEST = [
    # The differences between the tabs of the chapter.
    Mutant(
        "FixedHiddenMLP without the relu in the middle",
        "torch",
        "unified_blocks_torch.fixed_hidden_mlp:FixedHiddenMLP.forward",
        "F.relu(H @ self.rand_weight + 1)",
        "H @ self.rand_weight + 1",
        Compared(fixed, "(model)", "activation_missing"),
    ),
    Mutant(
        "FixedHiddenMLP without the relu in the middle",
        "tensorflow",
        "unified_blocks_tensorflow.fixed_hidden_mlp:FixedHiddenMLP.call",
        "tf.nn.relu(H @ self.rand_weight + 1)",
        "H @ self.rand_weight + 1",
        Compared(fixed, "(model)", "activation_missing"),
    ),
    Mutant(
        "FixedHiddenMLP without the relu in the middle",
        "mxnet",
        "unified_blocks_mxnet.fixed_hidden_mlp:FixedHiddenMLP.hybrid_forward",
        "F.npx.relu(F.np.dot(H, rand_weight) + 1)",
        "F.np.dot(H, rand_weight) + 1",
        Compared(fixed, "(model)", "activation_missing"),
    ),
    Mutant(
        "FixedHiddenMLP without the activation of its dense layer, as in the PyTorch tab",
        "tensorflow",
        "unified_blocks_tensorflow.fixed_hidden_mlp:FixedHiddenMLP.__init__",
        "dense(units, in_units=units, activation=activation, dtype=dtype)",
        "dense(units, in_units=units, dtype=dtype)",
        Compared(fixed, "dense#1", "activation_missing"),
    ),
    Mutant(
        "FixedHiddenMLP without the activation of its dense layer, as in the PyTorch tab",
        "mxnet",
        "unified_blocks_mxnet.fixed_hidden_mlp:FixedHiddenMLP.__init__",
        "dense(units, in_units=units, activation=activation, dtype=dtype)",
        "dense(units, in_units=units, dtype=dtype)",
        Compared(fixed, "dense#1", "activation_missing"),
    ),
    Mutant(
        "FixedHiddenMLP without the constant",
        "torch",
        "unified_blocks_torch.fixed_hidden_mlp:FixedHiddenMLP.forward",
        "H @ self.rand_weight + 1",
        "H + 1",
        Compared(fixed, "(model)", "unknown"),
    ),
    Mutant(
        "FixedHiddenMLP with the constant transposed",
        "mxnet",
        "unified_blocks_mxnet.fixed_hidden_mlp:FixedHiddenMLP.hybrid_forward",
        "F.np.dot(H, rand_weight)",
        "F.np.dot(H, rand_weight.T)",
        Compared(fixed, "(model)", "unknown"),
    ),
    Mutant(
        "FixedHiddenMLP adds another number",
        "tensorflow",
        "unified_blocks_tensorflow.fixed_hidden_mlp:FixedHiddenMLP.call",
        "self.rand_weight + 1",
        "self.rand_weight + 2",
        Compared(fixed, "(model)", "unknown"),
    ),
    Mutant(
        "FixedHiddenMLP without the first dense layer",
        "tensorflow",
        "unified_blocks_tensorflow.fixed_hidden_mlp:FixedHiddenMLP.call",
        "H = self.dense(X)",
        "H = X",
        Compared(fixed, "(model)", "unknown"),
    ),
    Mutant(
        "FixedHiddenMLP uses its dense layer once",
        "torch",
        "unified_blocks_torch.fixed_hidden_mlp:FixedHiddenMLP.forward",
        "H = self.shared(H)  #",
        "H = H  #",
        Compared(fixed, "dense#2", "call_missing"),
    ),
    Mutant(
        "FixedHiddenMLP uses its dense layer once",
        "mxnet",
        "unified_blocks_mxnet.fixed_hidden_mlp:FixedHiddenMLP.hybrid_forward",
        "H = self.dense(H)  #",
        "H = H  #",
        Compared(fixed, "dense#2", "call_missing"),
    ),
    Mutant(
        "FixedHiddenMLP halves once too few",
        "torch",
        "unified_blocks_torch.fixed_hidden_mlp:FixedHiddenMLP.forward",
        "halving_error) > 1",
        "halving_error) > 2",
        Compared(fixed, "(model)", "unknown"),
    ),
    Mutant(
        "NestMLP without the last activation, as in the PyTorch tab",
        "torch",
        "unified_blocks_torch.nest_mlp:NestMLP.forward",
        "return Y if self.out_activation is None else ACTIVATIONS[self.out_activation](Y)",
        "return Y",
        Compared(nest, "(model)", "activation_missing"),
    ),
    Mutant(
        "NestMLP without the last activation, as in the PyTorch tab",
        "tensorflow",
        "unified_blocks_tensorflow.nest_mlp:NestMLP.__init__",
        "activation=out_activation",
        "activation=None",
        Compared(nest, "dense", "activation_missing"),
    ),
    Mutant(
        "NestMLP without an activation inside",
        "mxnet",
        "unified_blocks_mxnet.nest_mlp:NestMLP.__init__",
        'dense(32, in_units=64, activation="relu", dtype=dtype)',
        "dense(32, in_units=64, dtype=dtype)",
        Compared(nest, "net.1", "activation_missing"),
    ),
    Mutant(
        "MLP without its relu",
        "torch",
        "unified_blocks_torch.mlp:MLP.forward",
        "F.relu(self.hidden(X))",
        "self.hidden(X)",
        Compared(mlp, "(model)", "activation_missing"),
    ),
    Mutant(
        "MLP with GELU in the place of relu",
        "torch",
        "unified_blocks_torch.mlp:MLP.forward",
        "F.relu(self.hidden(X))",
        "F.gelu(self.hidden(X))",
        Compared(mlp, "(model)", "another_activation"),
    ),
    Mutant(
        "MLP with sigmoid in the place of relu",
        "mxnet",
        "unified_blocks_mxnet.mlp:MLP.__init__",
        '"relu"',
        '"sigmoid"',
        Compared(mlp, "hidden.act", "another_activation"),
    ),
    Mutant(
        "MLP with another number added to its output",
        "mxnet",
        "unified_blocks_mxnet.mlp:MLP.hybrid_forward",
        "self.out(self.hidden(X))",
        "self.out(self.hidden(X)) + 0.001",
        Compared(mlp, "(model)", "constant_offset"),
    ),
    Mutant(
        "MLP with an activation after its last layer",
        "tensorflow",
        "unified_blocks_tensorflow.mlp:MLP.call",
        "self.out(self.hidden(X))",
        "keras.ops.tanh(self.out(self.hidden(X)))",
        Compared(mlp, "(model)", "activation_extra"),
    ),
]

CONSTANTS = [
    Mutant(
        "a constant is trained",
        "torch",
        "unified_blocks_torch.fixed_hidden_mlp:FixedHiddenMLP.__init__",
        'self.register_buffer("rand_weight", torch.rand(units, units, dtype=dtype))',
        "self.rand_weight = nn.Parameter(torch.rand(units, units, dtype=dtype))",
        Compared(fixed, "rand_weight", "constant_trained"),
    ),
    Mutant(
        "a constant is trained",
        "tensorflow",
        "unified_blocks_tensorflow.fixed_hidden_mlp:FixedHiddenMLP.__init__",
        "trainable=False",
        "trainable=True",
        Compared(fixed, "rand_weight", "constant_trained"),
    ),
    Mutant(
        "a constant is trained",
        "mxnet",
        "unified_blocks_mxnet.fixed_hidden_mlp:FixedHiddenMLP.__init__",
        'ub.Constant(shape=(units, units), initializer="uniform", dtype=dtype)',
        'self.params.get("rand_weight", shape=(units, units), dtype=dtype)',
        Compared(fixed, "rand_weight", "constant_trained"),
    ),
    Mutant(
        "a constant is not saved",
        "torch",
        "unified_blocks_torch.fixed_hidden_mlp:FixedHiddenMLP.__init__",
        "torch.rand(units, units, dtype=dtype))",
        "torch.rand(units, units, dtype=dtype), persistent=False)",
        Compared(fixed, "rand_weight", "constant_not_saved", "saved"),
    ),
    Mutant(
        "constants are not saved",
        None,
        "unified_blocks.models.variables:load_stored",
        "for variable, stored in chosen:",
        'for variable, stored in [c for c in chosen if c[0].role != "constant"]:',
        Compared(fixed, "rand_weight", "constant_not_saved", "saved"),
    ),
    Mutant(
        "a constant stays on a device",
        "torch",
        "unified_blocks_torch.fixed_hidden_mlp:FixedHiddenMLP.__init__",
        "torch.rand(units, units, dtype=dtype)",
        'torch.rand(units, units, dtype=dtype, device="meta")',
        Compared(fixed, "rand_weight", "constant_not_moved"),
    ),
    Mutant(
        "a constant stays on a device",
        "mxnet",
        "unified_blocks_mxnet.backend:MXNetBackend.to_device",
        "in walk(net):",
        'in (v for v in walk(net) if v.role == "parameter"):',
        Compared(fixed, "rand_weight", "constant_not_moved", device="cpu:1"),
    ),
]

DENSE = [
    Mutant(
        "Dense without its activation",
        "torch",
        "unified_blocks_torch.layers:Dense.forward",
        "return Y if self.activation is None else self.activation(Y)",
        "return Y",
        Compared(dense, "0", "activation_missing"),
    ),
    Mutant(
        "Dense without its activation",
        "tensorflow",
        "unified_blocks_tensorflow.layers:Dense.__init__",
        "activation=ACTIVATIONS[activation]",
        "activation=None",
        Compared(dense, "0", "activation_missing"),
    ),
    Mutant(
        "Dense without an activation that Gluon has not",
        "mxnet",
        "unified_blocks_mxnet.layers:activated",
        "if activation not in (None, *OWN)",
        "if activation not in (None, *OWN, 'silu')",
        Compared(activated("silu"), "0", "activation_missing"),
    ),
    Mutant(
        "Dense with an activation that nobody asked for",
        "torch",
        "unified_blocks_torch.layers:Dense.forward",
        "return Y if self.activation is None",
        "return Y.tanh() if self.activation is None",
        Compared(dense, "1", "activation_extra"),
    ),
    Mutant(
        "Dense with an activation that nobody asked for",
        "mxnet",
        "unified_blocks_mxnet.layers:Dense.__init__",
        "activation=activation if activation in OWN else None",
        'activation=(activation or "relu") if activation in (None, *OWN) else None',
        Compared(dense, "1", "activation_extra"),
    ),
    Mutant(
        "Dense with Keras' own leaky relu, of another slope",
        "tensorflow",
        "unified_blocks_tensorflow.layers:Dense.__init__",
        "ACTIVATIONS[activation]",
        "activation",
        Compared(activated("leaky_relu"), "0", "unknown"),
    ),
    Mutant(
        "Dense with its square weight untransposed",
        "torch",
        "unified_blocks_torch.layers:Dense.forward",
        "affine(X, self.weight, self.bias)",
        "affine(X, self.weight.T, self.bias)",
        Compared(dense, "0", "transposed_square_weight"),
    ),
    Mutant(
        "a square weight is written untransposed",
        "tensorflow",
        "unified_blocks_tensorflow.variables:TensorFlowVariable.to_native",
        "tf.transpose(array, np.argsort(self.axes))",
        "array",
        Compared(dense, "0.weight", "transposed_square_weight"),
    ),
    Mutant(
        "Dense without its bias",
        "torch",
        "unified_blocks_torch.layers:Dense.forward",
        "affine(X, self.weight, self.bias)",
        "affine(X, self.weight)",
        Compared(dense, "0", "bias_missing"),
    ),
    *(
        Mutant(
            "Dense without its bias",
            backend,
            f"unified_blocks_{backend}.layers:Dense.__init__",
            "use_bias=use_bias",
            "use_bias=False",
            Compared(dense, "0.bias", "bias_missing"),
        )
        for backend in ("tensorflow", "mxnet")
    ),
    Mutant(
        "Dense computes in float32",
        "torch",
        "unified_blocks_torch.layers:Dense.forward",
        "affine(X, self.weight, self.bias)",
        "affine(X.float(), self.weight.float(), self.bias.float()).double()",
        Compared(dense, "0", "float32_inside"),
    ),
    Mutant(
        "Dense changes its input",
        "torch",
        "unified_blocks_torch.layers:Dense.forward",
        "Y = affine(X, self.weight, self.bias)",
        "Y = affine(X, self.weight, self.bias); X.zero_()",
        Compared(dense, "0", "input_changed"),
    ),
    Mutant(
        "Dense gives no gradient to what is before it",
        "torch",
        "unified_blocks_torch.layers:Dense.forward",
        "affine(X, self.weight",
        "affine(X.detach(), self.weight",
        Compared(dense, "0.bias", "gradient_missing", "gradient"),
    ),
    Mutant(
        "Dense gives half of the gradient to what is before it",
        "torch",
        "unified_blocks_torch.layers:Dense.forward",
        "affine(X, self.weight",
        "affine(X / 2 + X.detach() / 2, self.weight",
        Compared(dense, "0.bias", "constant_factor", "gradient"),
    ),
]

OTHER_LAYERS = [
    Mutant(
        "Dropout with another scale, in inference too",
        "mxnet",
        "unified_blocks_mxnet.layers:Dropout.hybrid_forward",
        "F.np.where(F.np.greater(mask, 1), X / (1 - self._rate), X)",
        "X / (1 - self._rate)",
        Compared(of(lambda: ub.Dropout(0.5)), "1", "constant_factor"),
    ),
    Mutant(
        "Embedding gives the next row",
        "torch",
        "unified_blocks_torch.layers:Embedding.forward",
        "nn.Embedding.forward(self, X)",
        "nn.Embedding.forward(self, (X + 1) % self.num_embeddings)",
        Compared(embedding, "0", "unknown", x=INDICES),
    ),
    Mutant(
        "Embedding gives the first row for the last index",
        "tensorflow",
        "unified_blocks_tensorflow.layers:Embedding.call",
        "tf.where(inside, X, 0)",
        "tf.where(self.input_dim - 1 > X, X, 0)",
        Compared(embedding, "0", "unknown", x=INDICES),
    ),
    Mutant(
        "Embedding leaves out the last row",
        "mxnet",
        "unified_blocks_mxnet.layers:Embedding.__init__",
        "input_dim - 1",
        "input_dim - 2",
        Compared(embedding, "0", "not_finite", x=INDICES),
    ),
    Mutant(
        "Flatten takes the channels last",
        "tensorflow",
        "unified_blocks_tensorflow.layers:Flatten.__init__",
        "(self, autocast=False)",
        '(self, data_format="channels_first", autocast=False)',
        Compared(
            lambda: ub.MySequential(ub.ReLU(), ub.Flatten(), ub.Dense(3)),
            "1",
            "flatten_order",
            x=IMAGE,
        ),
    ),
    Mutant(
        "GELU by its approximation",
        "torch",
        "unified_blocks_torch.activations:GELU.__init__",
        "module.__init__(self)",
        'module.__init__(self, "tanh")',
        Compared(of(ub.GELU), "1", "gelu_form"),
    ),
    Mutant(
        "GELU by its approximation",
        "tensorflow",
        "unified_blocks_tensorflow.ops:gelu",
        "x * (1 + tf.math.erf(x / math.sqrt(2))) / 2",
        "keras.activations.gelu(x, approximate=True)",
        Compared(activated("gelu"), "0", "gelu_form"),
    ),
    Mutant(
        "GELU by its approximation",
        "mxnet",
        "unified_blocks_mxnet.ops:gelu",
        "x * (1 + erf(x / math.sqrt(2))) / 2",
        "x * (1 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))) / 2",
        Compared(activated("gelu"), "0", "gelu_form"),
    ),
    Mutant(
        "LeakyReLU with Keras' slope",
        "torch",
        "unified_blocks_torch.activations:LeakyReLU.__init__",
        "module.__init__(self)",
        "module.__init__(self, 0.2)",
        Compared(of(ub.LeakyReLU), "1", "unknown"),
    ),
    Mutant(
        "Softmax along the batch",
        "torch",
        "unified_blocks_torch.activations:Softmax.__init__",
        "module.__init__(self, axis)",
        "module.__init__(self, 0)",
        Compared(of(ub.Softmax), "1", "softmax_axis"),
    ),
    Mutant(
        "Softmax along the batch",
        "tensorflow",
        "unified_blocks_tensorflow.activations:Softmax.__init__",
        "(self, axis, autocast=False)",
        "(self, 0, autocast=False)",
        Compared(of(ub.Softmax), "1", "softmax_axis"),
    ),
    Mutant(
        "Softmax along the batch",
        "mxnet",
        "unified_blocks_mxnet.ops:softmax",
        "axis=axis",
        "axis=0",
        Compared(of(ub.Softmax), "1", "softmax_axis"),
    ),
    Mutant(
        "Parallel joins its blocks in the other order",
        None,
        "unified_blocks.blocks.parallel:Parallel.forward",
        "in self.branches()",
        "in reversed(self.branches())",
        Compared(parallel, "(model)", "unknown"),
    ),
    Mutant(
        "a shared layer is duplicated",
        "torch",
        "unified_blocks_torch.my_sequential:MySequential.add",
        "layer_of(self, block)",
        '__import__("copy").deepcopy(layer_of(self, block))',
        Compared(shared, "0.weight", "shared_layer_duplicated"),
    ),
    Mutant(
        "a shared layer is duplicated",
        "tensorflow",
        "unified_blocks_tensorflow.my_sequential:MySequential.add",
        "self.blocks.append(block)",
        "self.blocks.append(type(block).from_config(block.get_config()))",
        Compared(shared, "0.weight", "shared_layer_duplicated"),
    ),
    Mutant(
        "a shared layer is duplicated",
        "mxnet",
        "unified_blocks_mxnet.my_sequential:MySequential.add",
        "layer_of(self, block)",
        '__import__("copy").deepcopy(layer_of(self, block))',
        Compared(shared, "0.weight", "shared_layer_duplicated"),
    ),
]


def norms(backend, layer_norm, batch_norm):
    """The mistakes that are possible in the normalisations of each backend.

    Args:
        layer_norm, batch_norm: a change of the epsilon of each, old and new.
    """
    module = f"unified_blocks_{backend}.norms"
    return [
        Mutant(
            "LayerNorm with Keras' epsilon",
            backend,
            f"{module}:LayerNorm.__init__",
            *layer_norm,
            Compared(of(ub.LayerNorm), "1", "epsilon"),
        ),
        Mutant(
            "BatchNorm with Keras' epsilon",
            backend,
            f"{module}:BatchNorm.__init__",
            *batch_norm,
            Compared(of(ub.BatchNorm), "1", "epsilon"),
        ),
        Mutant(
            "BatchNorm with the momentum the other way round",
            backend,
            f"{module}:BatchNorm.__init__",
            "kept(momentum)",
            "kept(kept(momentum))",
            Compared(of(ub.BatchNorm), "1.running_mean", "momentum", "train"),
        ),
    ]


NORMS = [
    *norms("torch", ("float(np.float32(epsilon))", "1e-3"), ("float(np.float32(epsilon))", "1e-3")),
    *norms(
        "tensorflow", ("float(np.float32(epsilon))", "1e-3"), ("float(np.float32(epsilon))", "1e-3")
    ),
    *norms("mxnet", ("float(np.float32(epsilon))", "1e-3"), ("float(np.float32(epsilon))", "1e-3")),
    Mutant(
        "BatchNorm keeps the unbiased variance",
        "torch",
        "unified_blocks_torch.norms:BatchNorm.forward",
        "1 / (count - 1)",
        "0.0",
        Compared(of(ub.BatchNorm), "1.running_var", "unbiased_variance", "train"),
    ),
    Mutant(
        "BatchNorm does not move its mean",
        "torch",
        "unified_blocks_torch.norms:BatchNorm.forward",
        "self.bias, mean, var",
        "self.bias, mean.clone(), var",
        Compared(of(ub.BatchNorm), "1.running_mean", "statistics_not_updated", "train"),
    ),
    Mutant(
        "BatchNorm without its gamma",
        "torch",
        "unified_blocks_torch.norms:BatchNorm.forward",
        "X, self.weight, self.bias",
        "X, None, self.bias",
        Compared(of(ub.BatchNorm), "1", "fix_gamma"),
    ),
    Mutant(
        "BatchNorm without its gamma",
        "tensorflow",
        "unified_blocks_tensorflow.norms:BatchNorm.__init__",
        "axis=1",
        "axis=1, scale=False",
        Compared(of(ub.BatchNorm), "1.weight", "fix_gamma"),
    ),
    Mutant(
        "BatchNorm without its gamma",
        "mxnet",
        "unified_blocks_mxnet.norms:BatchNorm.__init__",
        "momentum=kept(momentum)",
        "momentum=kept(momentum), scale=False",
        Compared(of(ub.BatchNorm), "1.weight", "fix_gamma"),
    ),
    Mutant(
        "BatchNorm uses the running statistics in training",
        "mxnet",
        "unified_blocks_mxnet.norms:BatchNorm.__init__",
        "momentum=kept(momentum)",
        "momentum=kept(momentum), use_global_stats=True",
        Compared(of(ub.BatchNorm), "1", "batch_statistics", "train"),
    ),
    Mutant(
        "BatchNorm uses the batch in inference",
        "torch",
        "unified_blocks_torch.norms:BatchNorm.forward",
        "mean, var, training, self.momentum",
        "mean, var, True, 0.0",
        Compared(of(ub.BatchNorm), "1", "batch_statistics"),
    ),
    Mutant(
        "BatchNorm uses the running statistics in training",
        "tensorflow",
        "unified_blocks_tensorflow.norms:BatchNorm.call",
        "training=training",
        "training=False",
        Compared(of(ub.BatchNorm), "1", "batch_statistics", "train"),
    ),
]

MODELS = [
    Mutant(
        "inference runs in training mode",
        "torch",
        "unified_blocks_torch.backend:TorchBackend.run",
        "mode(net, train)",
        "mode(net, True)",
        Compared(of(lambda: ub.Dropout(0.5)), "1", "dropout_active"),
    ),
    Mutant(
        "inference runs in training mode",
        "tensorflow",
        "unified_blocks_tensorflow.backend:TensorFlowBackend.run",
        "training=train",
        "training=True",
        Compared(of(lambda: ub.Dropout(0.5)), "1", "dropout_active"),
    ),
    Mutant(
        "inference runs in training mode",
        "mxnet",
        "unified_blocks_mxnet.backend:MXNetBackend.run",
        "if train else autograd.predict_mode()",
        "",
        Compared(of(lambda: ub.Dropout(0.5)), "1", "dropout_active"),
    ),
    Mutant(
        "eager right and compiled wrong",
        "torch",
        "unified_blocks_torch.fixed_hidden_mlp:FixedHiddenMLP.forward",
        "halved(H, H.dtype).sum()",
        "H.sum()",
        Compared(fixed, "(model)", "unknown", "compiled"),
    ),
    Mutant(
        "eager right and compiled wrong",
        "tensorflow",
        "unified_blocks_tensorflow.fixed_hidden_mlp:FixedHiddenMLP.call",
        "tf.reduce_sum(halved(H, H.dtype))",
        "tf.reduce_sum(H)",
        Compared(fixed, "(model)", "unknown", "compiled"),
    ),
    Mutant(
        "eager right and compiled wrong",
        "mxnet",
        "unified_blocks_mxnet.fixed_hidden_mlp:FixedHiddenMLP.hybrid_forward",
        "halved(H, self.dense.weight.dtype)",
        "H",
        Compared(fixed, "(model)", "unknown", "compiled"),
    ),
    Mutant(
        "a loaded model keeps its last array",
        None,
        "unified_blocks.models.variables:load_stored",
        "for variable, stored in chosen:",
        "for variable, stored in chosen[:-1]:",
        Compared(mlp, "out.bias", "unknown", "saved"),
    ),
    Mutant(
        "numbers are written beside the model",
        "torch",
        "unified_blocks_torch.variables:TorchVariable.write",
        "self.tensor.copy_(",
        "self.tensor.clone().copy_(",
        Compared(mlp, "hidden.weight", "unknown"),
    ),
    Mutant(
        "initialize draws in the order of definition",
        None,
        "unified_blocks.models.initialization:initialize",
        "for name in sorted(variables)",
        "for name in variables",
        Checked(suite.initialize_draws_by_name),
    ),
    Mutant(
        "a state shares the model's memory",
        None,
        "unified_blocks.backend.variable:Variable.read",
        'np.array(self.view(), order="C")',
        "np.asarray(self.view())",
        Checked(suite.a_state_is_a_copy),
    ),
    Mutant(
        "an array shares the tensor's memory",
        "torch",
        "unified_blocks_torch.backend:TorchBackend.to_numpy",
        ".numpy(force=True).copy()",
        ".numpy(force=True)",
        Checked(suite.an_array_is_a_copy),
    ),
    Mutant(
        "a tensor loses its dtype",
        "mxnet",
        "unified_blocks_mxnet.backend:MXNetBackend.from_numpy",
        "dtype=array.dtype, ",
        'dtype="float32", ',
        Checked(suite.a_tensor_keeps_its_dtype),
    ),
]

LEARNING = [
    *(
        Mutant(
            "mse is summed",
            backend,
            f"unified_blocks_{backend}.learning:mse",
            *change,
            Compared(dense, "loss", "loss_summed", "gradient", options=TARGETS),
        )
        for backend, change in {
            "torch": ("F.mse_loss(output, y)", 'F.mse_loss(output, y, reduction="sum")'),
            "tensorflow": ("tf.reduce_mean", "tf.reduce_sum"),
            "mxnet": (".mean()", ".sum()"),
        }.items()
    ),
    *(
        Mutant(
            "cross-entropy is summed",
            backend,
            f"unified_blocks_{backend}.learning:{function}",
            *change,
            Compared(mlp, "loss", "loss_summed", "gradient", options=LABELS),
        )
        for backend, function, *change in (
            ("torch", "cross_entropy", "IGNORED", 'IGNORED, reduction="sum"'),
            ("tensorflow", "cross_entropy", "tf.reduce_mean", "tf.reduce_sum"),
            ("mxnet", "CrossEntropy.hybrid_forward", "F.np.mean(F", "F.np.sum(F"),
        )
    ),
    Mutant(
        "SGD without momentum",
        "torch",
        "unified_blocks_torch.learning:make_optimizer",
        "momentum=momentum",
        "momentum=0",
        Compared(dense, "step 3", "unknown", "training", options=SGD),
    ),
    Mutant(
        "SGD with Nesterov's momentum",
        "tensorflow",
        "unified_blocks_tensorflow.learning:make_optimizer",
        "momentum=momentum",
        "momentum=momentum, nesterov=True",
        Compared(dense, "step 2", "unknown", "training", options=SGD),
    ),
    Mutant(
        "Adam with PyTorch's epsilon",
        "torch",
        "unified_blocks_torch.learning:TorchTrainingStep.update",
        'self.optimizer.epsilon / math.sqrt(1 - group["betas"][1] ** t)',
        "self.optimizer.epsilon",
        Compared(dense, "step 2", "unknown", "training", options=ADAM),
    ),
    Mutant(
        "the mean gradient is divided by the size of the batch",
        "mxnet",
        "unified_blocks_mxnet.learning:MXNetTrainingStep.update",
        "self.trainer.step(1,",
        "self.trainer.step(len(x),",
        Compared(dense, "step 2", "unknown", "training", options=SGD),
    ),
    *(
        Mutant(
            "an epoch drops the last batch",
            backend,
            f"unified_blocks_{backend}.learning:{function}.epoch",
            *change,
            Checked(suite.an_epoch_keeps_the_partial_batch),
        )
        for backend, function, *change in (
            ("torch", "TorchTrainingStep", ".split(batch_size)", ".split(batch_size)[:-1]"),
            ("tensorflow", "TensorFlowTrainingStep", "if len(rest)", "if not len(rest)"),
            ("mxnet", "MXNetTrainingStep", "len(some),", "len(some) - batch_size,"),
        )
    ),
    Mutant(
        "fit averages over batches, not samples",
        None,
        "unified_blocks.training.fit:fit",
        "np.average(losses, weights=sizes)",
        "np.average(losses)",
        Checked(suite.fit_sees_every_sample),
    ),
    Mutant(
        "fit does not shuffle",
        None,
        "unified_blocks.training.fit:fit",
        "generator.permutation(samples)",
        "np.arange(samples)",
        Checked(suite.fit_shuffles_by_its_seed),
    ),
    Mutant(
        "evaluate runs in training mode",
        None,
        "unified_blocks.training.fit:evaluate",
        "device)])",
        "device)], train=True)",
        Checked(suite.evaluate_infers),
    ),
]

MUTANTS = (
    *FIXED_AND_NEST,
    *CONSTANTS,
    *DENSE,
    *OTHER_LAYERS,
    *NORMS,
    *MODELS,
    *LEARNING,
)
