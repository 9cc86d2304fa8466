"""Which block a step of a live network is, and what it is called in one."""

from unified_blocks.porting.passes.blocks import Step, located


def paths(*steps):
    return [".".join(path) for path, _ in located(steps)]


def step(word, blocks, **more):
    names = tuple(filter(None, blocks.split(".")))
    return Step(word, names, tuple(name.title() for name in names), **more)


def test_a_block_that_is_one_step_is_the_step():
    steps = (
        step("convolution", "features.0", owned=("weight",)),
        step("relu", "features.1", takes=frozenset({0})),
    )
    assert located(steps) == [
        (("features", "0"), ("Features",)),
        (("features", "1"), ("Features",)),
    ]


def test_a_layer_with_an_activation_is_two_layers():
    dense = step("dense", "body.0", owned=("weight", "bias"))
    after = step("relu", "body.0.act", takes=frozenset({0}))
    assert located((dense, after)) == [
        (("body", "0"), ("Body",)),
        (("body", "0_relu"), ("Body",)),
    ]


def test_what_is_not_after_the_layer_in_it_is_no_activation():
    dense = step("dense", "gate", owned=("weight", "bias"))
    assert paths(step("relu", "gate.act"), dense) == ["gate.act", "gate.dense"]


def test_steps_of_a_block_are_named_as_their_parameters_or_by_their_word():
    assert paths(
        step("dense", "cell", owned=("i2h_weight", "i2h_bias")),
        step("dense", "cell", owned=("h2h_weight", "h2h_bias")),
        step("add", "cell"),
        step("add", "cell"),
        step("multiply", "cell", owned=("scale",)),
        step("tanh", ""),
    ) == ["cell.i2h", "cell.h2h", "cell.add", "cell.add1", "cell.multiply", "tanh"]


def test_each_call_of_a_block_has_the_same_names():
    first = [step("sigmoid", "gate"), step("multiply", "gate")]
    second = [step("sigmoid", "gate", call=1), step("multiply", "gate", call=1)]
    assert paths(*first, *second) == ["gate.sigmoid", "gate.multiply"] * 2


def test_no_step_has_the_name_of_a_block_or_of_a_parameter():
    steps = [step("relu", "body.relu"), step("relu", "body"), step("scale", "body")]
    assert paths(*steps)[:2] == ["body.relu", "body.relu_"]
    assert paths(step("scale", "a", owned=("scale",)), step("add", "a"))[0] == "a.scale_"


def test_what_is_done_to_parameters_alone_is_no_step_of_a_layer():
    steps = [
        step("reshape", "lstm", owned=("l0_weight",), fixed=True),
        step("rnn", "lstm", takes=frozenset({0})),
    ]
    assert paths(*steps) == ["lstm_l0", "lstm"]


def test_names_of_a_file_stay():
    steps = [
        step("relu", "backbone", name="stage1_relu0"),
        step("convolution", "backbone", owned=("stage1_conv0_weight",), name="x"),
        step("norm", "backbone", owned=("norm0_gamma", "norm0_beta", "norm0_running_mean")),
    ]
    wanted = ["backbone.stage1_relu0", "backbone.stage1_conv0", "backbone.norm0"]
    assert paths(*steps) == wanted
    assert paths(step("relu", "backbone", name="relu0")) == ["backbone.relu0"]
