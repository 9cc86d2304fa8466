"""Mistakes in layers other than normalisations."""

from __future__ import annotations

import numpy as np

import unified_blocks as ub
from testbed.common import normal
from testbed.mutants.checks import Compared
from testbed.mutants.table.mutant import Mutant, activated, dense, embedding, of, parallel, shared

IMAGE = normal(3, 4, 2, 5, dtype="float64")
LARGE = np.linspace(-3, 3, 240).reshape(40, 6).astype("float32")
LARGE[-1] *= 100
INDICES = np.array([[0, 3, 6], [5, 1, 2]])

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
        Compared(activated("leaky_relu"), "0", "another_slope"),
    ),
    Mutant(
        "Dense with its square weight untransposed",
        "torch",
        "unified_blocks_torch.layers:Dense.forward",
        "affine(X, weight, bias)",
        "affine(X, weight.T, bias)",
        Compared(dense, "0", "transposed_square_weight"),
    ),
    Mutant(
        "a square weight is written untransposed",
        "tensorflow",
        "unified_blocks_tensorflow.variables:TensorFlowVariable.to_native",
        "self.layout.to_native(array, tuple(self.handle.shape))",
        "array",
        Compared(dense, "0.weight", "transposed_square_weight"),
    ),
    Mutant(
        "Dense without its bias",
        "torch",
        "unified_blocks_torch.layers:Dense.forward",
        "affine(X, weight, bias)",
        "affine(X, weight)",
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
        "affine(X, weight, bias)",
        "affine(X.float(), weight.float(), bias.float()).double()",
        Compared(dense, "0", "float32_inside"),
    ),
    *(
        Mutant(
            f"Dense computes in {half}",
            "torch",
            "unified_blocks_torch.layers:Dense.forward",
            "affine(X, weight, bias)",
            f"affine(X, weight, bias).to(__import__('torch').{half}).to(X.dtype)",
            Compared(dense, "0", "another_dtype"),
        )
        for half in ("float16", "bfloat16")
    ),
    Mutant(
        "Dense changes its input",
        "torch",
        "unified_blocks_torch.layers:Dense.forward",
        "Y = affine(X, weight, bias)",
        "Y = affine(X, weight, bias); X.zero_()",
        Compared(dense, "0", "input_changed"),
    ),
    Mutant(
        "Dense gives no gradient to what is before it",
        "torch",
        "unified_blocks_torch.layers:Dense.forward",
        "affine(X, weight",
        "affine(X.detach(), weight",
        Compared(dense, "0.bias", "gradient_missing", "gradient"),
    ),
    Mutant(
        "Dense gives half of the gradient to what is before it",
        "torch",
        "unified_blocks_torch.layers:Dense.forward",
        "affine(X, weight",
        "affine(X / 2 + X.detach() / 2, weight",
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
        "(self, **as_it_comes())",
        '(self, data_format="channels_first", **as_it_comes())',
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
        '"tanh" if approximate else "none"',
        '"tanh"',
        Compared(of(ub.GELU), "1", "gelu_form"),
    ),
    Mutant(
        "GELU by its approximation",
        "tensorflow",
        "unified_blocks_tensorflow.neural_ops:gelu",
        "x * (1 + tf.math.erf(x / math.sqrt(2))) / 2",
        "keras.activations.gelu(x, approximate=True)",
        Compared(activated("gelu"), "0", "gelu_form"),
    ),
    Mutant(
        "GELU by its approximation",
        "mxnet",
        "unified_blocks_mxnet.neural_ops:gelu",
        "x * (1 + erf(x / math.sqrt(2))) / 2",
        "x * (1 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))) / 2",
        Compared(activated("gelu"), "0", "gelu_form"),
    ),
    *(
        Mutant(
            "GELU by its approximation, beside numbers that are much larger",
            backend,
            function,
            *change,
            Compared(make, where, "gelu_form", x=LARGE, dtype="float32"),
        )
        for backend, function, *change, make, where in (
            (
                "torch",
                "unified_blocks_torch.activations:GELU.__init__",
                '"tanh" if approximate else "none"',
                '"tanh"',
                of(ub.GELU),
                "1",
            ),
            (
                "tensorflow",
                "unified_blocks_tensorflow.neural_ops:gelu",
                "approximate=False",
                "approximate=True",
                activated("gelu"),
                "0",
            ),
            (
                "mxnet",
                "unified_blocks_mxnet.neural_ops:gelu",
                'mx.npx.leaky_relu(x, act_type="gelu")',
                "x * (1 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))) / 2",
                activated("gelu"),
                "0",
            ),
        )
    ),
    Mutant(
        "LeakyReLU with Keras' slope",
        "torch",
        "unified_blocks_torch.activations:LeakyReLU.__init__",
        "module.__init__(self)",
        "module.__init__(self, 0.2)",
        Compared(of(ub.LeakyReLU), "1", "another_slope"),
    ),
    Mutant(
        "Softmax along the batch",
        "torch",
        "unified_blocks_torch.activations:Softmax.__init__",
        "module.__init__(self, along.fixed)",
        "module.__init__(self, 0)",
        Compared(of(ub.Softmax), "1", "softmax_axis"),
    ),
    Mutant(
        "Softmax along the batch",
        "tensorflow",
        "unified_blocks_tensorflow.activations:Softmax.__init__",
        "(self, along.fixed, **as_it_comes())",
        "(self, 0, **as_it_comes())",
        Compared(of(ub.Softmax), "1", "softmax_axis"),
    ),
    Mutant(
        "Softmax along the batch",
        "mxnet",
        "unified_blocks_mxnet.neural_ops:softmax",
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
