"""The blocks as Keras models: `from unified_blocks_tensorflow import MLP`."""

import os

from unified_blocks.backend.registry import in_command

if in_command():  # TensorFlow reads these when it is imported; what the user has set stays
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # errors only
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # memory is left to others

import keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        "Keras must run on its TensorFlow backend; it was set to "
        f"{keras.backend.backend()!r}: unset KERAS_BACKEND, or set it to tensorflow"
    )

from unified_blocks_tensorflow.backend import TensorFlowBackend

BACKEND = TensorFlowBackend()  # before the native classes, which register with it

from unified_blocks_tensorflow import neural_ops as neural_ops  # it registers the operations
from unified_blocks_tensorflow.activations import (
    ELU,
    GELU,
    SELU,
    HardSigmoid,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
)
from unified_blocks_tensorflow.convolutions import Conv1D, Conv2D, Conv3D
from unified_blocks_tensorflow.fixed_hidden_mlp import FixedHiddenMLP
from unified_blocks_tensorflow.layers import Dense, Dropout, Embedding, Flatten
from unified_blocks_tensorflow.mlp import MLP
from unified_blocks_tensorflow.my_sequential import MySequential
from unified_blocks_tensorflow.nest_mlp import NestMLP
from unified_blocks_tensorflow.norms import BatchNorm, LayerNorm
from unified_blocks_tensorflow.recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell
from unified_blocks_tensorflow.registration import register_every_block

__all__ = [
    "BACKEND",
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "MLP",
    "RNN",
    "SELU",
    "BatchNorm",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "Dense",
    "Dropout",
    "Embedding",
    "FixedHiddenMLP",
    "Flatten",
    "GRUCell",
    "HardSigmoid",
    "LSTMCell",
    "LayerNorm",
    "LeakyReLU",
    "MySequential",
    "NestMLP",
    "RNNCell",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Softsign",
    "Tanh",
]

register_every_block(BACKEND)
