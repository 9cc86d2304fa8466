"""Networks become classes as a person writes them: each block once, with arguments and loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from testbed.ported import Network, complaints, doubled, example, expected, module_of
from testbed.ported_cases import long_row, opened, parallel, residual, tied
from unified_blocks.porting.structure import divided
from unified_blocks.porting.writing.layout import laid_out, marked
from unified_blocks.porting.writing.naming import camel, distinct, snake
from unified_blocks.porting.writing.pieces import Slot, call, text, written
from unified_blocks.porting.writing.pytorch import write


def source_of(graph: Any) -> str:
    return write(graph, divided(graph), name="net").source


def net_of(graph: Any, folder: Any) -> Any:
    module = module_of(write(graph, divided(graph), name="net"), folder)
    return module.load(str(folder / "net.safetensors")).double()


# Lines

STATEMENTS = [
    "x = f(a)",
    "self.layer = nn.Sequential(" + ", ".join(f"nn.Linear({i}, {i + 1})" for i in range(9)) + ")",
    "x = torch.cat([" + ", ".join(f"self.branch{i}(x)" for i in range(8)) + "], 1)",
    "net = f(*(g(some_long_name_of_a_number + 32 * i, another_long_name) for i in range(number)))",
    'x = f("a, (b", other_argument=some_value, third_argument=(1, 2), fourth_argument=[3, 4, 5])',
    "def f(in_channels: int, channels: int, out_channels: int, kernel_size: int = 3) -> nn.Module:",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_lines_break_as_a_formatter_breaks_them(statement: str) -> None:
    pytest.importorskip("ruff")
    lines = laid_out(statement)
    assert max(map(len, lines)) <= 88
    body = "\n    return 1" if statement.startswith("def") else ""
    names = "import torch\nfrom torch import nn\n\n" + "\n" * statement.startswith("def")
    found = complaints(names + "\n".join(lines) + body + "\n")
    assert "---" not in found  # what a formatter would change


def test_a_comment_stands_behind_the_argument_that_it_belongs_to() -> None:
    inside = f"nn.Linear(3, 4){marked('(n, 4)')}, nn.ReLU()"
    assert laid_out(f"x = nn.Sequential({inside})") == [
        "x = nn.Sequential(",
        "    nn.Linear(3, 4),  # (n, 4)",
        "    nn.ReLU(),",
        ")",
    ]


def test_a_comment_is_left_out_where_it_would_break_the_line() -> None:
    argument = f"f({'a' * 80}){marked('a long comment')}"
    assert laid_out(f"x = [{argument}, b]")[1].strip() == f"f({'a' * 80}),"


# Pieces


def test_what_binds_weaker_is_in_brackets() -> None:
    total = text("{} + {}", Slot(1, "a"), Slot(2, "b"))
    assert written(text("{} * {}", total, Slot(-3, "c"))) == "(1 + 2) * -3"
    assert written(text("{} - {}", total, total)) == "1 + 2 - (1 + 2)"
    assert written(text("{}.flatten(1)", total)) == "(1 + 2).flatten(1)"
    assert written(text("f({})", total)) == "f(1 + 2)"
    assert written(text("-{}", text("{} ** {}", Slot(2, "a"), Slot(3, "b")))) == "-2 ** 3"


def test_defaults_are_left_out() -> None:
    assert written(call("f", Slot(1, "a"), b=(2, 2), c=(True, 1))) == "f(1, c=True)"


def test_names_are_those_of_classes_and_variables() -> None:
    assert [camel("resnet18_v1"), camel("ResNetV1"), camel("3d-net")] == [
        "Resnet18V1",
        "ResNetV1",
        "Net3dNet",
    ]
    assert [camel("mobilenet1.0"), camel("vgg_1_2x")] == ["Mobilenet1_0", "Vgg1_2x"]
    assert [snake("runningMean"), snake("class"), snake("0")] == ["running_mean", "class_", "x0"]
    assert distinct("a", ["a", "a2"]) == "a3"
    assert distinct("conv1", ["conv1"]) == "conv1_2"


# Blocks


def test_equal_blocks_are_one_class_in_a_loop() -> None:
    source = source_of(residual())
    assert "class Residual(nn.Module):" in source
    assert "*(Residual(4) for _ in range(2))," in source


def test_a_row_of_blocks_is_a_stage_of_so_many() -> None:
    net = Network(**{f"features__{i}": "HybridSequential" for i in range(2)})
    y = net.input(4, 6, 6)
    for i, count in enumerate((3, 5)):
        y = residual_row(net, f"features.{i}", y, 4 + 4 * i, count)
    source = source_of(net.done(y))
    assert "def stage(channels: int, blocks: int) -> nn.Sequential:" in source
    assert "*(Residual(channels) for _ in range(1, blocks))" in source
    assert "stage(8, blocks=5)" in source


def residual_row(net: Network, path: str, y: Any, channels: int, count: int) -> Any:
    """Residual blocks, of which the first changes the channels."""
    net.kinds |= {f"{path}.{i}": "Residual" for i in range(count)}
    for i in range(count):
        z = net.conv(f"{path}.{i}.conv", y, channels)
        y = net.conv(f"{path}.{i}.shortcut", y, channels, 1) if i == 0 else y
        y = net.apply(f"{path}.{i}.add", "add", z, y)
    return y


def test_several_arguments_of_a_kind_are_numbered_from_the_first_on() -> None:
    net = Network(**{f"stage__{i}": "Three" for i in range(2)})
    y = net.input(4, 6, 6)
    for i, sizes in enumerate(((3, 5), (5, 3))):
        y = net.conv(f"stage.{i}.one", y, 4, sizes[0])
        y = net.conv(f"stage.{i}.two", y, 4, sizes[1])
    source = source_of(net.done(y))
    assert "kernel_size1: int, kernel_size2: int, padding1: int, padding2: int" in source


def test_steps_beside_a_layer_in_a_row_are_part_of_it(tmp_path: Any) -> None:
    net = Network(features="HybridSequential")
    y = net.apply("features.1", "relu", net.conv("features.0", net.input(3, 4, 4), 2))
    y = net.linear("features.2", net.flat("features.2_flatten", y), 6)
    y = net.linear("features.3", net.apply("features.2_relu", "relu", y), 6)
    graph = doubled(net.done(net.linear("output", net.apply("features.3_relu", "relu", y), 3)))
    source = source_of(graph)
    assert "class FlatLinearReLU(nn.Linear):" in source
    assert "            LinearReLU(),\n" in source
    assert "ModuleDict" not in source
    torch = pytest.importorskip("torch")
    given = example(graph, 5)
    ported = net_of(graph, tmp_path)
    assert "features.2.weight" in ported.state_dict()
    (wanted,) = expected(graph, given)
    gives = ported(*map(torch.from_numpy, given.values()))
    np.testing.assert_allclose(gives.detach().numpy(), wanted, atol=1e-6)


def test_a_network_that_is_a_row_is_a_class_of_such() -> None:
    net = Network("HybridSequential")
    y = net.apply("0_relu", "relu", net.conv("0", net.input(3, 4, 4), 2))
    y = net.apply("1_tanh", "tanh", net.linear("1", net.flat("1_flatten", y), 6))
    graph = net.done(net.linear("2", y, 3))
    source = write(graph, divided(graph), name=graph.name).source
    assert "class Net(nn.Sequential):" in source
    assert "class Conv2dReLU(nn.Conv2d):" in source
    assert "class FlatLinearTanh(nn.Linear):" in source


def test_what_one_block_has_more_names_its_class() -> None:
    assert "class ResidualShortcut(nn.Module):" in source_of(residual())


def test_whole_multiples_are_written_as_such() -> None:
    net = Network(**{f"stage__{i}": "Wide" for i in range(2)})
    y = net.input(4, 6, 6)
    for i, channels in enumerate((4, 8)):
        y = net.conv(f"stage.{i}.first", y, channels, 1)
        y = net.conv(f"stage.{i}.second", y, 3 * channels)
        y = net.conv(f"stage.{i}.third", y, 8)
    source = source_of(net.done(y))
    assert "self.second = nn.Conv2d(in_channels, 3 * in_channels, 3, padding=1)" in source


def test_a_depthwise_convolution_has_as_many_groups_as_channels() -> None:
    net = Network(**{f"stage__{i}": "Depthwise" for i in range(2)})
    y = net.input(4, 6, 6)
    for i, channels in enumerate((4, 8)):
        y = net.conv(f"stage.{i}.depth", y, y.shape[1], groups=y.shape[1])
        y = net.conv(f"stage.{i}.point", y, channels * 2, 1)
    assert "padding=1, groups=" in source_of(net.done(y))


def test_steps_that_are_equal_are_a_loop() -> None:
    assert "3 + 4 * i" in source_of(parallel())


def test_layers_that_follow_each_other_again_and_again_are_a_function() -> None:
    source = source_of(long_row())
    assert "*block(3, 4, 8)," in source
    assert source.count("nn.Conv2d(") == 2


def test_one_layer_that_is_called_twice_is_one_attribute() -> None:
    source = source_of(tied())
    assert source.count("self.second = ") == 1
    assert source.count("self.second(") == 2
    assert source.count("class Block") == 1
    assert source.count("self.twice(") == 1


def test_numbers_of_two_layers_are_tied(tmp_path: Any) -> None:
    pytest.importorskip("torch")
    net = net_of(tied(), tmp_path)
    assert net.first.weight is net.second.weight


def test_a_block_whose_parts_run_apart_holds_them_in_a_dict() -> None:
    assert 'self.a["one"](' in source_of(opened())


def test_a_kind_never_hides_what_the_file_uses() -> None:
    net = Network(a="Tensor", b="BatchNorm2d")
    y = net.linear("a.one", net.norm("b.norm", net.input(3, 2, 2)), 2)
    source = source_of(net.done(y))
    assert "class Tensor2(" in source
    assert "class BatchNorm2d2(" in source


def test_an_activation_ends_a_line_and_branches_keep_their_order() -> None:
    net = Network()
    x = net.input(3, 6, 6)
    branches = []
    for i in range(2):
        y = net.apply(f"act{i}", "relu", net.norm(f"norm{i}", net.conv(f"conv{i}", x, 4)))
        branches.append(net.apply(f"end{i}", "relu", net.norm(f"last{i}", y)))
    source = source_of(net.done(net.concat("concat", *branches)))
    lines = [line.strip().split("  #")[0] for line in source.split("\n")]
    start = lines.index("y = F.relu(self.norm0(self.conv0(x)))")
    assert lines[start + 1] == "x = F.relu(self.norm1(self.conv1(x)))"
    assert lines[start + 3] == "return torch.cat([F.relu(self.last0(y)), x], 1)"


# Training


def norms(count: int = 1, **options: Any) -> Any:
    net = Network()
    y = net.input(3, 4, 4)
    for i in range(count):
        y = net.norm(f"norms.{i}", y, **options)
    return net.done(net.conv("last", y, 2))


def test_a_step_counts_the_biased_variance(tmp_path: Any) -> None:
    torch = pytest.importorskip("torch")
    graph = norms()
    net, x = net_of(graph, tmp_path).train(), example(graph)["data"]
    before = net.norms[0].running_var.clone().numpy()
    net(torch.from_numpy(x)).sum().backward()
    after = net.norms[0].running_var.numpy()
    np.testing.assert_allclose(after, 0.5 * before + 0.5 * x.var((0, 2, 3)), rtol=1e-12)
    assert net.norms[0].num_batches_tracked == 1


def test_a_norm_of_counted_statistics_uses_them_in_training_too(tmp_path: Any) -> None:
    torch = pytest.importorskip("torch")
    graph = norms(frozen=True)
    net, inputs = net_of(graph, tmp_path).train(), example(graph)
    given = net(torch.from_numpy(inputs["data"]))
    np.testing.assert_allclose(given.detach().numpy(), expected(graph, inputs)[0], rtol=1e-9)
    given.sum().backward()
    assert net.norms[0].weight.grad is not None


def test_a_single_fixed_parameter_is_frozen_by_name(tmp_path: Any) -> None:
    pytest.importorskip("torch")
    graph = norms(fixed=True)
    assert 'self.get_parameter("norms.0.weight").requires_grad_(False)' in source_of(graph)
    net = net_of(graph, tmp_path)
    assert not net.norms[0].weight.requires_grad
    assert net.norms[0].bias.requires_grad


def test_what_is_fixed_in_all_norms_is_frozen_by_a_rule(tmp_path: Any) -> None:
    pytest.importorskip("torch")
    graph = norms(4, fixed=True)
    assert "if isinstance(module, BatchNorm2d):" in source_of(graph)
    net = net_of(graph, tmp_path)
    assert [norm.weight.requires_grad for norm in net.norms] == [False] * 4
    assert net.last.weight.requires_grad
