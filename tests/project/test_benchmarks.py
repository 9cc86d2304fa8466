"""The benchmarks run, and write what they say; what they measure is tested nowhere."""

import dataclasses
import json
import os
from itertools import cycle
from xml.etree import ElementTree

import numpy as np
import pytest

import unified_blocks as ub
from benchmarks.cells import Cell, Effort
from benchmarks.growth import fitted_growth
from benchmarks.machine import machine
from benchmarks.networks import LAYOUTS, made, networks, outputs_of
from benchmarks.parts import BACKENDS, FRAMEWORKS, PARTS, processes
from benchmarks.subjects import agree
from benchmarks.tables import text, verdicts
from testbed.benchmarking import benchmark
from unified_blocks.compiling.timing import Ratio

RATIO = Ratio(1.01, 0.99, 1.019, 200)
UNITS = {"ratio", "s", "bytes", "count"}


turns = cycle(BACKENDS)
TURN = {
    name: next(backend for backend in turns if backend in part.frameworks)
    for name, part in PARTS.items()
}
"""The framework whose turn it is to run a part: each takes long, and its code is one for all."""


@pytest.mark.parametrize("part", PARTS)
def test_a_part_runs(tmp_path, backend_name, part):
    if backend_name != TURN[part] and not os.environ.get("UNIFIED_BLOCKS_SOAK"):
        pytest.skip(f"{part} runs on {TURN[part]}")
    options = ("--part", part, "--backend", backend_name, "--quick", "--pairs", "2")
    found, printed = benchmark(tmp_path, *options)
    assert found["pairs"] == 2
    assert found["machine"]["packages"]["numpy"] == np.__version__
    (process,) = found["processes"]
    assert (process["part"], process["framework"]) == (part, backend_name)
    assert found["cells"]
    for cell in found["cells"]:
        assert (cell["part"], cell["framework"]) == (part, backend_name)
        assert cell["unit"] in UNITS
        assert np.isfinite(cell["value"])
        assert (cell["met"] is None) == (cell["target"] is None)
        assert (cell["low"] is None) == (cell["high"] is None)
        assert cell["what"] in printed


@pytest.mark.parametrize("network", networks(Effort()), ids=lambda net: f"{net.what}-{net.size}")
def test_a_network_computes_what_the_one_by_hand_does(backend_name, network):
    """And not one with other numbers; how long each takes is tested nowhere."""
    backend = ub.get_backend(backend_name)
    if backend_name == "mxnet":  # as the networks by hand need it, whose module sets it once
        from unified_blocks_mxnet.compat import mx

        mx.npx.set_np()
    for layouts in LAYOUTS[backend_name][: 1 + network.of_images]:
        nets, inputs = made(backend_name, network, layouts)
        last = {layer.channels_last for layer in convolutions(nets[0])}
        assert last == ({layouts[0] == "channels_last"} if network.of_images else set())
        ub.initialize(nets[0], 1, "torch_default")
        outputs = outputs_of(backend, nets, inputs)
        if layouts[0] == layouts[1] and outputs[0].shape == outputs[1].shape:
            with pytest.raises(AssertionError, match="they differ by"):
                agree(outputs, network.what)


def convolutions(net):
    """Those inside a network of ours."""
    found = [layer for _, layer in ub.backend_of(net).layers(net)]
    return [layer for layer in found if isinstance(layer, ub.Conv2D)]


def test_an_other_framework_is_left_out_when_it_is_not_there(tmp_path):
    missing = [name for name, framework in FRAMEWORKS.items() if framework.missing]
    if not missing:
        pytest.skip("all are there")
    asked = [option for name in missing for option in ("--backend", name)]
    found, printed = benchmark(tmp_path, "--part", "peers", *asked)
    assert found["cells"] == []
    assert f"peers on {missing[0]}: skipped, not installed: " in printed


def test_each_part_is_measured_where_it_is_asked_for():
    assert list(processes(["counts"], ["mxnet", "torch"])) == [
        ("counts", "torch"),
        ("counts", "mxnet"),
    ]
    assert {part for part, _ in processes([], [])} == set(PARTS)


def test_a_cell_survives_json():
    cell = Cell.ratio("MLP", "ours / by hand", RATIO, setting={"batch": 2}, target=1.02)
    assert Cell.from_json(json.loads(json.dumps(cell.as_json()))) == cell


def test_a_target_is_for_the_upper_bound():
    cell = Cell.ratio("MLP", "ours / by hand", RATIO, target=1.02, part="overhead")
    assert cell.met
    late = dataclasses.replace(cell, high=1.021)
    assert not late.met
    assert dataclasses.replace(cell, target=None).met is None
    lines = verdicts([cell, late])
    assert lines[0] == "overhead: 1 of 2 targets met"
    assert "not met" in lines[1]
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (Cell("a", "b", 3), "3"),
        (Cell.seconds("a", "b", [1.234e-5] * 3), "12.3 µs"),
        (Cell("a", "b", 2.5e6, unit="bytes"), "2.5 MB"),
        (Cell("a", "b", 2500, unit="bytes"), "2.5 kB"),
        (Cell.ratio("a", "b", RATIO, target=1.02), "1.010 [0.990, 1.019] met"),
        (Cell.ratio("a", "b", RATIO, target=1.01), "1.010 [0.990, 1.019] not met"),
    ],
)
def test_a_number_is_shown_in_its_unit(cell, expected):
    assert text(cell) == expected


def test_growth_is_that_of_the_ratio():
    sizes = np.array([1, 10, 100])
    growth = fitted_growth(sizes, [np.full(5, 1.1 * size**0.5) for size in sizes])
    np.testing.assert_allclose((growth.median, growth.low, growth.high), 10)


def test_fewer_pairs_are_no_more():
    assert Effort(200).at_most(30).pairs == 30
    assert Effort(2, quick=True).at_most(30) == Effort(2, quick=True)


def test_the_machine_is_described():
    found = machine()
    assert found["cores"] is None or found["cores"] > 0
    assert found["packages"]["numpy"] == np.__version__


def test_charts_are_svg_with_a_title_and_text(tmp_path):
    pytest.importorskip("matplotlib", reason="charts need Matplotlib")
    from benchmarks.charts import draw

    overhead = [
        Cell.ratio(
            block,
            "ours / by hand",
            RATIO,
            setting={"pass": way, "batch": 2},
            part="overhead",
            framework=framework,
        )
        for block in ("MLP", "NestMLP")
        for way in ("forward", "training step")
        for framework in ("torch", "mxnet")
    ]
    depth = [
        Cell.seconds(
            "depth",
            who,
            [1e-5 * size],
            setting={"depth": size},
            part="growth",
            framework=framework,
        )
        for framework, who in (
            ("torch", "by hand"),
            ("torch", "ours"),
            ("keras", "Keras on PyTorch"),
        )
        for size in (1, 4, 16)
    ]
    assert draw([], tmp_path) == []
    for path in draw(overhead + depth, tmp_path):
        root = ElementTree.parse(path).getroot()
        inside = {"svg": "http://www.w3.org/2000/svg"}
        assert root.attrib["role"] == "img"
        assert root.find("svg:title", inside).text
        assert (
            "PyTorch" in root.find("svg:desc", inside).text
            or "MLP" in root.find("svg:desc", inside).text
        )
        assert "PyTorch" in {e.text for e in root.iter("{http://www.w3.org/2000/svg}text")}
        written = path.read_text()
        assert "var(--ink)" in written
        assert "#010203" not in written
        assert len(written) < 100_000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["depth.svg", "overhead.svg"]
