"""On TensorFlow a block is a Keras model like any other: graphs, XLA, fit, Sequential."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal, run
from unified_blocks.equivalence.matrix.cases import chimera
from unified_blocks.reference.gradients import reference_output

tf = pytest.importorskip("tensorflow", reason="tensorflow is not installed")
keras = pytest.importorskip("keras", reason="tensorflow is not installed")

BLOCKS = {"fixed": ub.FixedHiddenMLP, "chimera": chimera}


@pytest.fixture(autouse=True)
def on_tensorflow():
    with ub.use_backend("tensorflow"):
        yield


@pytest.fixture(params=BLOCKS)
def net(request):
    return ub.initialize(ub.build(BLOCKS[request.param](), (3, 20)), 1, "torch_default")


@pytest.mark.parametrize("jit", [False, True])
def test_forward_and_gradient_in_a_graph(net, jit):
    x = tf.constant(normal(3, 20))
    value, expected = ub.value_and_grad(net, x, loss="sum", wrt="both")

    @tf.function(jit_compile=jit)
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            output = net(x)
        return output, tape.gradient(output, [x, *net.trainable_variables])

    output, gradients = step(x)
    np.testing.assert_allclose(output, value, rtol=1e-5)
    np.testing.assert_allclose(gradients[0], expected["x"], rtol=1e-4, atol=1e-6)
    assert len(gradients) == len(expected)
    named = {v.handle.path: v for v in ub.backend_of(net).variables(net)}
    for variable, gradient in zip(net.trainable_variables, gradients[1:], strict=True):
        ours = named[variable.path]
        found = ours.to_canonical(gradient)
        np.testing.assert_allclose(found, expected[ours.name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("jit", [False, True])
def test_keras_own_fit(net, jit):
    before = ub.state(net)
    net.compile(
        keras.optimizers.SGD(0.01), loss=lambda y, output: tf.reduce_sum(output), jit_compile=jit
    )
    history = net.fit(normal(8, 20), np.zeros(8), batch_size=4, epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    after = ub.state(net)
    constants = {v.name for v in ub.backend_of(net).variables(net) if v.role == "constant"}
    for name in before:
        assert np.array_equal(before[name], after[name]) == (name in constants), name


def test_inside_keras_sequential():
    inner = ub.FixedHiddenMLP(6)
    model = keras.Sequential([keras.layers.Dense(6, activation="tanh"), inner])
    x = normal(3, 5)
    eager = model(x)
    assert eager.shape == ()
    np.testing.assert_allclose(tf.function(model)(x), eager, rtol=1e-5)
    assert list(ub.state(model)) == [
        "0.weight",
        "0.bias",
        "1.rand_weight",
        "1.dense.weight",
        "1.dense.bias",
    ]


def test_inside_a_functional_model():
    inputs = keras.Input((20,))
    model = keras.Model(inputs, ub.MLP(5, 3)(inputs))
    assert model(normal(2, 20)).shape == (2, 3)


def test_one_trace_for_one_signature():
    net = ub.build(ub.MLP(5, 3), (2, 4))
    traces = []

    @tf.function
    def call(x):
        traces.append(1)
        return net(x)

    for _ in range(5):
        call(tf.constant(normal(2, 4)))
    assert len(traces) == 1


def test_a_trainer_traces_once_for_each_shape_of_batch():
    class Counting(ub.MLP):
        traces = 0

        def forward(self, X):
            Counting.traces += 1
            return super().forward(X)

    net = Counting(5, 3, in_units=4)
    x = normal(40, 4)
    ub.fit(net, x, normal(40, 3), loss="mse", optimizer=ub.SGD(0.1), batch_size=16, epochs=3)
    assert Counting.traces == 2  # a full batch, and the last one


def test_the_policy_is_explicit_and_nothing_global_changes():
    with ub.use_dtype("float64"):
        net = ub.MySequential(ub.NestMLP(), ub.Dense(20), ub.FixedHiddenMLP())
    assert keras.config.dtype_policy().name == "float32"
    assert keras.config.floatx() == "float32"
    assert run(net, normal(2, 5, dtype="float64")).dtype == "float64"
    policies = {layer.dtype_policy.name for layer in (net[0], net[0].net.layers[0], net[1], net[2])}
    assert policies == {"float64"}


def test_a_container_does_not_round_what_passes_through_it():
    x = np.array([[1 + 1e-12]])
    assert run(ub.MySequential(ub.ReLU()), x)[0, 0] == 1 + 1e-12


def test_keras_methods_are_keras_own():
    net = ub.build(ub.MLP(5, 3), (2, 4))
    assert net.count_params() == 4 * 5 + 5 + 5 * 3 + 3
    assert net.predict(normal(7, 4), verbose=0).shape == (7, 3)
    assert [layer.name for layer in net.layers]


def test_build_a_functional_model_of_several_inputs():
    a, b = keras.Input((2,)), keras.Input((3,))
    net = keras.Model([a, b], keras.layers.Concatenate()([a, b]))
    assert ub.build(net, [(2, 2), (2, 3)]) is net


def test_layers_in_lists_and_dicts_have_names():
    class Held(keras.Model):
        def __init__(self):
            super().__init__()
            self._first = keras.layers.Dense(2)
            self.rest = {"a": keras.layers.Dense(3), "b": [keras.layers.Dense(4)]}

        def call(self, X):
            return self.rest["b"][0](self.rest["a"](self._first(X)))

    assert list(ub.state(ub.build(Held(), (1, 5))))[::2] == [
        "_first.weight",
        "rest.a.weight",
        "rest.b.0.weight",
    ]


def test_a_configuration_that_the_author_wrote_is_kept():
    @keras.saving.register_keras_serializable("tests")
    class Own(ub.MLP):
        def __init__(self, width=3, name=None, **_):
            super().__init__(width, 2)
            self.width = width

        def get_config(self):
            return {"width": self.width}

    net = ub.build(Own(7), (1, 4))
    assert net.get_config() == {"width": 7}
    assert type(net).from_config({"width": 9}).width == 9


def test_a_block_class_is_known_to_keras_as_soon_as_it_is_defined():
    class Later(ub.Block):
        def forward(self, X):
            return X

    name = f"{Later.__module__}>{Later.__qualname__}"
    known = keras.saving.get_registered_object(name)  # before anyone asks for an instance
    assert known is Later.on("tensorflow")
    with ub.use_backend("torch" if "torch" in ub.available_backends() else "tensorflow"):
        assert keras.saving.get_registered_object(name) is known


@pytest.mark.parametrize("make", [ub.RNN, ub.LSTM, ub.GRU])
def test_a_loop_of_many_steps_turns_its_matrix_once(make):
    x = normal(2, 80, 3)
    layer = ub.initialize(ub.build(make(4), x.shape), 0, "torch_default")
    graph = tf.function(layer.call).get_concrete_function(tf.constant(x)).graph.as_graph_def()
    inside = [node for each in graph.library.function for node in each.node_def]
    products = [node.attr["transpose_b"].b for node in inside if node.op == "MatMul"]
    assert products == [False] * 16
    expected = reference_output(layer, ub.state(layer), x)
    np.testing.assert_allclose(run(layer, x), expected, atol=1e-5)
    np.testing.assert_allclose(tf.function(layer)(tf.constant(x)), expected, atol=1e-5)
