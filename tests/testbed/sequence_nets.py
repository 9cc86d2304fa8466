"""Networks of sequences in MXNet, small, as their users write them."""

from unified_blocks_mxnet.compat import mx

gluon, nn, rnn = mx.gluon, mx.gluon.nn, mx.gluon.rnn


class LanguageModel(gluon.HybridBlock):
    """Tokens `(n, t)`, or `(t, n)`, to scores of the next."""

    def __init__(self, layer, layout, vocabulary=11, features=4, **options):
        super().__init__()
        with self.name_scope():
            self.embedding = nn.Embedding(vocabulary, features)
            self.encoder = layer(
                5, num_layers=2, layout=layout, input_size=features, dropout=0.2, **options
            )
            self.decoder = nn.Dense(vocabulary, flatten=False)

    def hybrid_forward(self, F, tokens):
        return self.decoder(self.encoder(self.embedding(tokens)))


class SelfAttention(gluon.HybridBlock):
    """Attention of heads whose weights are put together head by head for one product.

    With `plain`, the same by what MXNet computes in float64 too.
    """

    def __init__(self, units, heads, plain=False):
        super().__init__()
        self.units, self.heads, self.plain = units, heads, plain
        with self.name_scope():
            for part in ("query", "key", "value"):
                for name, shape in (("weight", (units, units)), ("bias", (units,))):
                    known = self.params.get(f"{part}_{name}", shape=shape)
                    setattr(self, f"{part}_{name}", known)
            self.dropout = nn.Dropout(0.1)

    def hybrid_forward(self, F, x, lengths, **p):
        weight = F.concat(
            *(
                p[f"{part}_weight"].reshape((self.heads, -1, 0), reverse=True)
                for part in ("query", "key", "value")
            ),
            dim=-2,
        ).reshape((-1, 0), reverse=True)
        bias = F.stack(
            *(
                p[f"{part}_bias"].reshape((self.heads, -1), reverse=True)
                for part in ("query", "key", "value")
            ),
            axis=1,
        ).reshape(-1)
        x = F.FullyConnected(x, weight, bias, num_hidden=3 * self.units, flatten=False)
        lengths = F.broadcast_axis(F.expand_dims(lengths, axis=1), axis=1, size=self.heads)
        lengths = lengths.reshape((-1, 0), reverse=True)
        if not self.plain:
            scores = F.contrib.interleaved_matmul_selfatt_qk(x, heads=self.heads)
            weights = F.softmax(scores, length=lengths, use_length=True, axis=-1)
            weights = self.dropout(weights)
            return F.contrib.interleaved_matmul_selfatt_valatt(x, weights, heads=self.heads)
        split = F.transpose(x.reshape((0, 0, self.heads, 3, -1)), (3, 1, 2, 0, 4))
        query, key, value = (
            part.reshape((-3, 0, 0)) for part in F.split(split, 3, axis=0, squeeze_axis=True)
        )
        scores = F.batch_dot(F.contrib.div_sqrt_dim(query), key, transpose_b=True)
        weights = F.softmax(scores, length=lengths, use_length=True, axis=-1)
        context = F.batch_dot(self.dropout(weights), value)
        context = context.reshape((-4, -1, self.heads, 0, 0)).transpose((2, 0, 1, 3))
        return context.reshape((0, 0, -3))


class EncoderLayer(gluon.HybridBlock):
    def __init__(self, units, heads, plain=False, activation="gelu"):
        super().__init__()
        self.exact = activation == "tanh"
        with self.name_scope():
            self.attention = SelfAttention(units, heads, plain)
            self.proj = nn.Dense(units, flatten=False, in_units=units)
            self.attention_norm = nn.LayerNorm(in_channels=units, epsilon=1e-12)
            self.ffn_1 = nn.Dense(2 * units, flatten=False, in_units=units)
            self.plain = plain
            self.gelu = nn.GELU()
            self.ffn_2 = nn.Dense(units, flatten=False, in_units=2 * units)
            self.norm = nn.LayerNorm(in_channels=units, epsilon=1e-12)

    def hybrid_forward(self, F, x, lengths):
        x = self.attention_norm(self.proj(self.attention(x, lengths)) + x)
        y = self.ffn_1(x)
        if self.exact:
            y = F.tanh(y)
        else:
            y = y * (1 + F.erf(y * 0.5**0.5)) * 0.5 if self.plain else self.gelu(y)
        return self.norm(self.ffn_2(y) + x)


class BERT(gluon.HybridBlock):
    """A BERT of two layers: tokens, their types `(n, t)` and lengths `(n,)`.

    Gives the sequence, what is pooled of it, and scores of words by the weights that embed them.
    MXNet has the gradient of `erf` in float32 alone: with `activation="tanh"` it is exact.
    """

    def __init__(self, plain=False, activation="gelu", prefix=None):
        super().__init__(prefix=prefix)
        vocabulary, units, heads, longest = 13, 8, 2, 10
        self.longest, self.units = longest, units
        with self.name_scope():
            self.word_embed = nn.Embedding(vocabulary, units)
            self.token_type_embed = nn.Embedding(2, units)
            self.position_weight = self.params.get("position_weight", shape=(longest, units))
            self.norm = nn.LayerNorm(in_channels=units, epsilon=1e-12)
            self.layers = nn.HybridSequential()
            for _ in range(2):
                self.layers.add(EncoderLayer(units, heads, plain, activation))
            self.pooler = nn.Dense(units, activation="tanh", flatten=False, in_units=units)
            self.decoder = nn.Dense(
                vocabulary, flatten=False, in_units=units, params=self.word_embed.params
            )

    def hybrid_forward(self, F, tokens, types, lengths, position_weight):
        x = F.transpose(self.word_embed(tokens) + self.token_type_embed(types), (1, 0, 2))
        steps = F.contrib.arange_like(x, axis=0)
        positions = F.Embedding(steps, position_weight, self.longest, self.units)
        every = F.broadcast_add(lengths.reshape((-1, 1)), F.zeros_like(steps).reshape((1, -1)))
        every = F.cast(every, dtype="int32")
        x = self.norm(F.broadcast_add(x, F.expand_dims(positions, axis=1)))
        for layer in self.layers:
            x = layer(x, every)
        x = F.SequenceMask(x, sequence_length=lengths, use_sequence_length=True, axis=0)
        x = F.transpose(x, (1, 0, 2))
        first = F.slice_axis(x, axis=1, begin=0, end=1).reshape((-1, 0), reverse=True)
        return x, self.pooler(first), self.decoder(x)


class MemoryAttention(gluon.HybridBlock):
    """Attention to what an encoder gave, `(s, n, units)`."""

    def __init__(self, units, heads):
        super().__init__()
        self.heads = heads
        with self.name_scope():
            self.query = nn.Dense(units, flatten=False, in_units=units)
            self.memory = nn.Dense(2 * units, flatten=False, in_units=units)
            self.proj = nn.Dense(units, flatten=False, in_units=units)

    def hybrid_forward(self, F, x, memory):
        memory = self.memory(memory)
        scores = F.contrib.interleaved_matmul_encdec_qk(self.query(x), memory, heads=self.heads)
        weights = F.softmax(scores, axis=-1)
        return self.proj(
            F.contrib.interleaved_matmul_encdec_valatt(memory, weights, heads=self.heads)
        )


class HeadsByReshape(gluon.HybridBlock):
    """Attention as the first transformers of GluonNLP have it, by reshapes and `batch_dot`."""

    def __init__(self, units, heads):
        super().__init__()
        self.heads = heads
        with self.name_scope():
            for name in ("query", "key", "value", "proj"):
                setattr(self, name, nn.Dense(units, flatten=False, use_bias=False, in_units=units))

    def hybrid_forward(self, F, x, memory, mask):
        def split(y):  # (n, t, units) to (n * heads, t, d)
            y = F.transpose(F.reshape(y, (0, 0, self.heads, -1)), (0, 2, 1, 3))
            return F.reshape(y, (-1, 0, 0), reverse=True)

        scores = F.batch_dot(
            F.contrib.div_sqrt_dim(split(self.query(x))), split(self.key(memory)), transpose_b=True
        )
        mask = F.reshape(
            F.broadcast_axis(F.expand_dims(mask, axis=1), axis=1, size=self.heads),
            (-1, 0, 0),
            reverse=True,
        )
        scores = F.where(mask, scores, -1e18 * F.ones_like(scores))
        weights = F.softmax(scores, axis=-1) * mask
        context = F.batch_dot(weights, split(self.value(memory)))
        context = F.reshape(context, (-1, self.heads, 0, 0), reverse=True)
        context = F.transpose(context, (0, 2, 1, 3))
        return self.proj(F.reshape(context, (0, 0, -1)))


class Translator(gluon.HybridBlock):
    """A transformer: an encoder and a decoder of a layer each, `(n, s)` and `(n, t)` tokens."""

    def __init__(self, vocabulary=9, units=6, heads=2):
        super().__init__()
        self.units = units
        with self.name_scope():
            self.embed = nn.Embedding(vocabulary, units)
            self.encoder = HeadsByReshape(units, heads)
            self.encoder_norm = nn.LayerNorm(in_channels=units)
            self.decoder = HeadsByReshape(units, heads)
            self.decoder_norm = nn.LayerNorm(in_channels=units)
            self.between = HeadsByReshape(units, heads)
            self.between_norm = nn.LayerNorm(in_channels=units)
            self.ffn_1 = nn.Dense(2 * units, flatten=False, activation="relu", in_units=units)
            self.ffn_2 = nn.Dense(units, flatten=False, in_units=2 * units)
            self.scores = nn.Dense(vocabulary, flatten=False, in_units=units)

    def hybrid_forward(self, F, source, target):
        x = self.embed(source) * self.units**0.5
        zeros = F.zeros_like(F.slice_axis(x, axis=2, begin=0, end=1))  # (n, s, 1)
        every = F.broadcast_add(zeros, F.transpose(zeros, (0, 2, 1))) + 1
        x = self.encoder_norm(x + self.encoder(x, x, every))
        y = self.embed(target) * self.units**0.5
        steps = F.contrib.arange_like(y, axis=1)
        causal = F.broadcast_greater_equal(
            F.expand_dims(steps, axis=1), F.expand_dims(steps, axis=0)
        )
        nothing = F.zeros_like(F.slice_axis(y, axis=2, begin=0, end=1))
        causal = F.broadcast_add(nothing, F.expand_dims(causal, axis=0))
        y = self.decoder_norm(y + self.decoder(y, y, causal))
        seen = F.broadcast_add(nothing, F.transpose(zeros, (0, 2, 1))) + 1
        y = self.between_norm(y + self.between(y, x, seen))
        return self.scores(y + self.ffn_2(self.ffn_1(y)))


def unrolled(cell, steps, layout="NTC"):
    """A cell of the time of Module, unrolled, with scores of each step."""
    outputs, _ = cell.unroll(steps, mx.sym.var("data"), layout=layout, merge_outputs=True)
    return mx.sym.FullyConnected(outputs, num_hidden=3, flatten=False, name="scores")


def by_hand(x, states, products, units):
    """A step of an LSTM whose gates come in an order of its own: i, g, f, o."""
    h, c = states
    of_x, of_h = (
        mx.sym.FullyConnected(each, *arrays, num_hidden=4 * units)
        for each, arrays in zip((x, h), products, strict=True)
    )
    parts = mx.sym.SliceChannel(of_x + of_h, num_outputs=4)
    i, f, o = (mx.sym.Activation(parts[place], act_type="sigmoid") for place in (0, 2, 3))
    c = f * c + i * mx.sym.Activation(parts[1], act_type="tanh")
    return o * mx.sym.Activation(c, act_type="tanh"), c


def reader_of_lines(width=6, units=5, classes=7):
    """A network that reads a line of text, column by column, in both directions.

    Gives its loss, and the scores of each step that the loss is of.
    """
    data = mx.sym.var("data")  # (n, width * height)
    columns = mx.sym.SliceChannel(data, num_outputs=width, name="columns")
    outputs = []
    for name, places in (("forward", range(width)), ("backward", range(width)[::-1])):
        states = mx.sym.var(f"{name}_init_h"), mx.sym.var(f"{name}_init_c")
        products = [
            [mx.sym.var(f"{name}_{product}_{array}") for array in ("weight", "bias")]
            for product in ("i2h", "h2h")
        ]
        given = {}
        for place in places:
            states = by_hand(columns[place], states, products, units)
            given[place] = states[0]
        outputs.append(given)
    rows = [mx.sym.Concat(*(given[i] for given in outputs), dim=1) for i in range(width)]
    scores = mx.sym.FullyConnected(mx.sym.Concat(*rows, dim=0), num_hidden=classes, name="classes")
    steps = mx.sym.Reshape(scores, shape=(width, -1, classes))
    return mx.sym.CTCLoss(steps, mx.sym.var("label"), name="loss"), steps
