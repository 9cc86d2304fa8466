"""The recurrent layers of this library as PyTorch modules."""

# The bases of PyTorch's own classes do not agree on their attributes.
# mypy: disable-error-code="misc"

from __future__ import annotations

import torch
from torch import nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import unified_blocks as ub
from unified_blocks.layers.recurrent import suffixes
from unified_blocks.types import Mixin
from unified_blocks_torch.bind import TorchBlock
from unified_blocks_torch.norms import parameter

LISTS = ("_flat_weights", "_flat_weights_names", "_all_weights", "_flat_weight_refs")
"""Where PyTorch keeps the parameters of a recurrent layer in the order of its fused function."""


class Lazy(Mixin):
    """A module of PyTorch's that waits for its first input, if its width is not given.

    `widening` are the weights whose second size that is.
    """

    cls_to_become = None  # stay what it is after the first call

    def make(self, in_units, *options, **named):
        if in_units is not None:
            self.own.__init__(self, in_units, *options, **named)
            return
        LazyModuleMixin.__init__(self, 1, *options, **named)
        self.input_size = 0
        for name in self.widening:
            setattr(self, name, parameter(None, named["dtype"]))

    def initialize_parameters(self, X, *others, **named):
        self.input_size = X.shape[-1]
        with torch.no_grad():
            for name in self.widening:
                weight = getattr(self, name)
                if isinstance(weight, nn.UninitializedParameter):
                    rows = getattr(self, name.replace("_ih", "_hh")).shape[0]
                    weight.materialize((rows, self.input_size))
                    bound = self.hidden_size**-0.5
                    nn.init.uniform_(weight, -bound, bound)

    def reset_parameters(self):
        """PyTorch's own, of the parameters that exist."""
        bound = self.hidden_size**-0.5
        for weight in self.parameters():
            if not isinstance(weight, nn.UninitializedParameter):
                nn.init.uniform_(weight, -bound, bound)


class Recurrent(Lazy):
    """What the recurrent layers add to PyTorch's: lengths, and an output without its state."""

    def __init__(
        self,
        units,
        num_layers=1,
        *,
        bidirectional=False,
        dropout=0.0,
        return_state=False,
        use_bias=True,
        in_units=None,
        dtype=None,
        **named,
    ):
        self.return_state = return_state
        self.widening = tuple(f"weight_ih{end}" for end in suffixes(1, bidirectional))
        rate = dropout if num_layers > 1 else 0.0  # PyTorch warns of one that nothing has
        options = {"bidirectional": bidirectional, "dropout": rate, "dtype": dtype}
        self.make(in_units, units, num_layers, bias=use_bias, batch_first=True, **options, **named)

    def __setattr__(self, name, value):
        if name in LISTS:  # they stay PyTorch's, and no blocks are in them
            self.__dict__[name] = value
            return
        TorchBlock.__setattr__(self, name, value)
        names = self.__dict__.get("_flat_weights_names", ())
        if name in names:
            self._flat_weights[names.index(name)] = value

    def flatten_parameters(self):
        if not self.has_uninitialized_params():
            super().flatten_parameters()

    def initialize_parameters(self, X, *others, **named):
        super().initialize_parameters(X)
        self.flatten_parameters()

    def forward(self, X, states=None, lengths=None):
        if X.dim() != 3:
            raise self.misshapen(X.shape)
        if type(states) is list:
            states = tuple(states)
        if lengths is None:
            Y, last = self.own.forward(self, X, states)
            return (Y, last) if self.return_state else Y
        lengths = lengths.cpu()
        self.check_lengths(lengths.tolist(), X.shape[1])
        packed = pack_padded_sequence(X, lengths, batch_first=True, enforce_sorted=False)
        Y, last = self.own.forward(self, packed, states)
        Y, _ = pad_packed_sequence(Y, batch_first=True, total_length=X.shape[1])
        return (Y, last) if self.return_state else Y


@ub.RNN.native("torch")
class RNN(ub.RNN, Recurrent, LazyModuleMixin, nn.RNN):
    own = nn.RNN

    def __init__(
        self,
        units,
        num_layers=1,
        *,
        activation="tanh",
        bidirectional=False,
        dropout=0.0,
        return_state=False,
        use_bias=True,
        in_units=None,
        dtype=None,
    ):
        Recurrent.__init__(
            self,
            units,
            num_layers,
            bidirectional=bidirectional,
            dropout=dropout,
            return_state=return_state,
            use_bias=use_bias,
            in_units=in_units,
            dtype=dtype,
            nonlinearity=activation,
        )


@ub.LSTM.native("torch")
class LSTM(ub.LSTM, Recurrent, LazyModuleMixin, nn.LSTM):
    own = nn.LSTM


@ub.GRU.native("torch")
class GRU(ub.GRU, Recurrent, LazyModuleMixin, nn.GRU):
    own = nn.GRU


class Cell(Lazy):
    """What the cells add to PyTorch's: they wait for the width of their input."""

    widening = ("weight_ih",)

    def __init__(self, units, *, use_bias=True, in_units=None, dtype=None, **named):
        self.make(in_units, units, bias=use_bias, dtype=dtype, **named)

    def forward(self, X, states=None):
        if X.dim() != 2:
            raise self.misshapen(X.shape)
        return self.own.forward(self, X, states)


@ub.RNNCell.native("torch")
class RNNCell(ub.RNNCell, Cell, LazyModuleMixin, nn.RNNCell):
    own = nn.RNNCell

    def __init__(self, units, *, activation="tanh", use_bias=True, in_units=None, dtype=None):
        options = {"use_bias": use_bias, "in_units": in_units, "dtype": dtype}
        Cell.__init__(self, units, nonlinearity=activation, **options)


@ub.LSTMCell.native("torch")
class LSTMCell(ub.LSTMCell, Cell, LazyModuleMixin, nn.LSTMCell):
    own = nn.LSTMCell


@ub.GRUCell.native("torch")
class GRUCell(ub.GRUCell, Cell, LazyModuleMixin, nn.GRUCell):
    own = nn.GRUCell
