"""Mistakes in how models are run, compiled, saved and read."""

from __future__ import annotations

import unified_blocks as ub
from testbed.mutants import suite
from testbed.mutants.checks import Checked, Compared
from testbed.mutants.table.mutant import Mutant, fixed, mlp, of

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
        "unified_blocks.models.loading:load_into",
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
