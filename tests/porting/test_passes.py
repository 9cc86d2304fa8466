"""A graph is divided as a person would: by names, by what is repeated, each block in one piece."""

import numpy as np
import pytest

from testbed.common import normal
from unified_blocks.porting.graph import Builder, constant, parameter
from unified_blocks.porting.interpreter import values_of
from unified_blocks.porting.operations.convolutions import Convolution, Linear
from unified_blocks.porting.operations.elementwise import Elementwise
from unified_blocks.porting.operations.shapes import Concat, Reshape
from unified_blocks.porting.passes import prepared
from unified_blocks.porting.passes.naming import identifier
from unified_blocks.porting.passes.ordering import order
from unified_blocks.porting.structure import Scope, divided


class Net(Builder):
    """Layers of small networks, under the names that they are given."""

    def linear(self, x, name, units=4, weight=None, **where):
        made = weight or parameter(f"{name}_weight", normal(units, x.shape[-1], seed=len(name)))
        return self.add(Linear(), x, made, name=f"{name}_fwd", **where)[0]

    def conv(self, x, name, channels=3, **where):
        made = parameter(f"{name}_weight", normal(channels, x.shape[1], 3, 3, seed=len(name)))
        return self.add(Convolution((1, 1), ((1, 1),) * 2, (1, 1)), x, made, name=f"{name}_fwd")[0]

    def relu(self, x, name, **where):
        return self.add(Elementwise("relu"), x, name=name, **where)[0]

    def plus(self, a, b, name, **where):
        return self.add(Elementwise("add"), a, b, name=name, **where)[0]

    def end(self, *outputs):
        self.graph.outputs += outputs
        return self.graph


def tree(scope):
    """Names in names."""
    return [
        {item.name: tree(item)} if isinstance(item, Scope) else item.path[-1]
        for item in scope.items
    ]


def test_names_become_blocks():
    net = Net("net")
    x = net.input("data", (1, 4))
    x = net.relu(net.linear(x, "net0_stem_dense0"), "net0_stem_relu0")
    x = net.relu(net.linear(x, "net0_conv4_1"), "net0_conv4_2")
    graph = prepared(net.end(net.linear(x, "net0_out")))
    assert tree(divided(graph)) == [{"stem": ["dense0", "relu0"]}, "conv4_1", "conv4_2", "out"]
    assert graph.nodes[0].kinds == ("Stem",)


def test_what_a_block_does_not_wait_for_does_not_cut_it():
    net = Net("net")
    x = y = net.input("data", (1, 4))
    for i in range(2):
        x = net.relu(net.linear(x, f"cell{i}_first"), f"cell{i}_relu")
        y = net.relu(y, f"mask{i}")
        x = net.plus(net.linear(x, f"cell{i}_out"), y, f"cell{i}_plus")
    assert tree(divided(prepared(net.end(x)))) == [
        "mask0", {"cell0": ["first", "relu", "out", "plus"]},
        "mask1", {"cell1": ["first", "relu", "out", "plus"]},
    ]  # fmt: skip


def test_a_block_is_not_all_of_another_one():
    net = Net("net")
    x = net.linear(net.input("data", (1, 4)), "face_rpn_first")
    x = net.linear(net.linear(x, "face_rpn_second"), "out")
    graph = prepared(net.end(x))
    assert tree(divided(graph)) == [{"face_rpn": ["first", "second"]}, "out"]
    assert graph.nodes[0].kinds == ("FaceRpn",)


def test_what_waits_for_something_else_is_no_block():
    net = Net("net")
    x = net.linear(net.input("data", (1, 4)), "head_in")
    x = net.linear(net.linear(x, "outside"), "head_out")
    assert tree(divided(prepared(net.end(x)))) == ["head_in", "outside", "head_out"]


def test_a_sum_that_nobody_named_is_where_what_it_adds_is():
    net = Net("net")
    x = net.relu(net.linear(net.input("data", (1, 4)), "dense0"), "activation0")
    for i in (1, 2):
        y = net.linear(net.relu(net.linear(x, f"unit{i}_in0"), f"unit{i}_relu"), f"unit{i}_out0")
        x = net.relu(net.plus(y, x, f"_plus{i}"), f"activation{i}")
    graph = prepared(net.end(net.linear(x, "dense1")))
    assert tree(divided(graph)) == [
        "dense0", "activation0",
        {"unit1": ["in0", "relu", "out0", "plus1", "activation1"]},
        {"unit2": ["in0", "relu", "out0", "plus2", "activation2"]},
        "dense1",
    ]  # fmt: skip


def test_a_layer_and_what_it_needs_are_no_block():
    net = Net("net")
    x = net.relu(net.linear(net.input("data", (1, 4)), "pre_fc"), "pre_fc_flatten")
    assert tree(divided(prepared(net.end(net.linear(x, "out"))))) == [
        "pre_fc",
        "pre_fc_flatten",
        "out",
    ]


def test_operators_of_names_of_several_words_are_no_block():
    net = Net("net")
    x = net.linear(net.input("data", (1, 4)), "net_dense0")
    x = net.plus(net.relu(x, "net_broadcast_axis0"), x, "net_broadcast_add0")
    assert tree(divided(prepared(net.end(x)))) == ["dense0", "broadcast_axis0", "broadcast_add0"]


def test_a_layer_that_has_the_weight_of_another_is_called_by_its_own_name():
    net = Net("net")
    weight = parameter("net_embedding_weight", normal(4, 4))
    x = net.linear(net.input("data", (1, 4)), "net_embedding", weight=weight)
    graph = net.end(net.linear(x, "net_decoder", weight=weight))
    bias = parameter("net_embedding_bias", normal(4))
    graph.nodes[1].inputs += (bias,)
    assert tree(divided(prepared(graph))) == ["embedding", "decoder"]


def test_names_that_modules_have_are_changed():
    assert [identifier(name) for name in ("type", "class", "1x1", "a-b", "conv")] == [
        "type_", "class_", "layer_1x1", "a_b", "conv",
    ]  # fmt: skip


def residual(net, x, stage, number, projection=False):
    y = net.relu(net.conv(x, f"net_{stage}_conv{2 * number}"), f"net_{stage}_relu{2 * number}")
    y = net.conv(y, f"net_{stage}_conv{2 * number + 1}")
    if projection:
        x = net.conv(x, f"net_{stage}_conv9")
    return net.relu(net.plus(y, x, f"net_{stage}_plus{number}"), f"net_{stage}_last{number}")


def test_repeated_units_become_blocks_and_the_first_of_another_beginning_too():
    net = Net("net")
    x = net.relu(net.conv(net.input("data", (1, 3, 4, 4)), "net_conv0"), "net_relu0")
    for number in range(4):
        x = residual(net, x, "stage1", number, projection=number == 0)
    graph = prepared(net.end(x))
    (stage,) = [item for item in divided(graph).items if isinstance(item, Scope)]
    units = tree(stage)
    assert [name for unit in units for name in unit] == ["0", "1", "2", "3"]
    assert units[1]["1"] == ["conv0", "relu", "conv1", "plus", "last"]
    assert sorted(units[0]["0"]) == ["conv0", "conv1", "conv2", "last", "plus", "relu"]
    assert [item.kind for item in stage.items] == ["Projection", *["Residual"] * 3]


def test_what_is_before_the_units_of_a_stage_is_one_if_it_ends_as_they_do():
    def preactivated(x, stage, number, projection):
        y = net.relu(x, f"net_{stage}_relu{2 * number}")
        x = net.conv(y, f"net_{stage}_conv9") if projection else x
        y = net.relu(net.conv(y, f"net_{stage}_conv{number}"), f"net_{stage}_relu{2 * number + 1}")
        return net.plus(
            net.conv(y, f"net_{stage}_conv{number + 4}"), x, f"net_{stage}_plus{number}"
        )

    net = Net("net")
    x = net.conv(net.input("data", (1, 3, 4, 4)), "net_conv0")
    for stage, count in (("stage1", 3), ("stage2", 4)):
        for number in range(count):
            x = preactivated(x, stage, number, projection=number == 0)
    graph = prepared(net.end(net.conv(x, "net_conv1")))
    stages = [item for item in divided(graph).items if isinstance(item, Scope)]
    assert [[(unit.name, unit.kind) for unit in stage.items] for stage in stages] == [
        [("0", "Projection"), *((str(i), "Residual") for i in range(1, count))] for count in (3, 4)
    ]


def test_a_stage_of_one_repetition_is_divided_as_another_is():
    net = Net("net")
    x = net.relu(net.conv(net.input("data", (1, 3, 4, 4)), "net_conv0"), "net_relu0")
    for stage, projected in (("stage1", False), ("stage2", True)):
        for number in range(2):
            x = residual(net, x, stage, number, projection=projected and number == 0)
    stages = [item for item in divided(prepared(net.end(x))).items if isinstance(item, Scope)]
    assert [[(unit.name, unit.kind) for unit in stage.items] for stage in stages] == [
        [("0", "Residual"), ("1", "Residual")],
        [("0", "Projection"), ("1", "Residual")],
    ]


def test_a_unit_that_stands_alone_is_one_where_others_are_repeated():
    net = Net("net")
    x = net.input("data", (1, 3, 4, 4))
    for number in range(5):
        x = net.relu(net.conv(x, f"net_conv{number}"), f"net_relu{number}")
        x = net.relu(x, f"net_again{number}")
        if number == 2:
            x = net.add(Reshape((1, 3, 2, 8)), x, name="net_reshape0")[0]
    graph = prepared(net.end(x))
    assert tree(divided(graph)) == [
        *({f"unit{i}": ["conv", "relu", "again"]} for i in range(3)),
        "reshape0",
        *({f"unit{i}": ["conv", "relu", "again"]} for i in range(3, 5)),
    ]


def test_the_nodes_of_a_block_are_brought_together():
    net = Net("net")
    x = net.input("data", (1, 4))
    a1 = net.linear(x, "a1", path=("a", "one"), kinds=("A",))
    b1 = net.linear(x, "b1", path=("b", "one"), kinds=("B",))
    a2 = net.relu(a1, "a2", path=("a", "two"), kinds=("A",))
    b2 = net.relu(b1, "b2", path=("b", "two"), kinds=("B",))
    graph = net.end(net.plus(a2, b2, "sum", path=("sum",)))
    before = values_of(graph, {"data": normal(1, 4, seed=1)})[graph.outputs[0]]
    order(graph)
    assert tree(divided(graph)) == [{"a": ["one", "two"]}, {"b": ["one", "two"]}, "sum"]
    after = values_of(graph, {"data": normal(1, 4, seed=1)})[graph.outputs[0]]
    np.testing.assert_array_equal(before, after)


def test_a_block_that_is_called_again_is_two_calls():
    net = Net("net")
    x = net.input("data", (1, 4))
    weight = parameter("a_weight", normal(4, 4, seed=3))
    for number in range(2):
        x = net.linear(x, "a", weight=weight, path=("a", "one"), kinds=("A",))
        x = net.relu(x, f"a_{number}", path=("a", "two"), kinds=("A",))
        x = net.linear(x, f"b{number}", path=(f"b{number}",))
    graph = net.end(x)
    order(graph)
    assert tree(divided(graph)) == [{"a": ["one", "two"]}, "b0", {"a": ["one", "two"]}, "b1"]


def test_what_passes_the_border_of_a_block_is_known():
    net = Net("net")
    x = net.input("data", (1, 4))
    a = net.linear(x, "a", path=("block", "a"), kinds=("Block",))
    b = net.relu(a, "b", path=("block", "b"), kinds=("Block",))
    graph = net.end(net.plus(a, b, "sum", path=("sum",)))
    block, _ = divided(graph).items
    assert (block.inputs, block.outputs, block.is_chain) == ([x], [a, b], False)


@pytest.mark.parametrize("grows", [False, True])
def test_what_no_input_changes_is_computed_once(grows):
    net = Net("net")
    x = net.input("data", (2, 3))
    two = net.plus(constant(np.ones((1, 3))), constant(1.0), "two")
    if grows:
        two.growth = (1, 0)
    graph = prepared(net.end(net.plus(x, two, "sum")))
    assert len(graph.nodes) == (2 if grows else 1)
    if not grows:
        (made,) = graph.nodes[0].parameters
        assert (made.role, made.data.tolist()) == ("constant", [[2.0, 2.0, 2.0]])


def test_a_name_without_its_number_is_still_no_attribute_of_a_module():
    net = Net("net")
    x = net.input("data", (1, 3, 4, 4))
    for number in range(2):
        x = net.relu(net.conv(x, f"net_conv{number}"), f"net_half{number}")
        x = net.relu(x, f"net_again{number}")
    assert tree(divided(prepared(net.end(x))))[0] == {"0": ["conv", "half_", "again"]}


def test_a_block_of_one_letter_has_a_class_of_more():
    net = Net("net")
    x = net.conv(net.conv(net.input("data", (1, 3, 4, 4)), "net_A1_conv0"), "net_A1_conv1")
    (block, _) = divided(prepared(net.end(net.conv(x, "net_conv0")))).items
    assert (block.name, block.kind) == ("A1", "BlockA")


def test_units_of_branches_are_called_so():
    net = Net("net")
    x = net.input("data", (1, 3, 4, 4))
    for number in range(2):
        a, b = (net.relu(net.conv(x, f"net_c{number}{i}"), f"net_r{number}{i}") for i in "12")
        x = net.add(Concat(1), a, b, name=f"net_cat{number}")[0]
    kinds = {item.kind for item in divided(prepared(net.end(x))).items}
    assert kinds == {"Branches"}
