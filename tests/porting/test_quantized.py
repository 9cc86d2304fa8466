"""A network that MXNet quantized: its numbers are read, and it is not ported."""

import json

import numpy as np
import pytest

import unified_blocks as ub
from testbed.params_files import array, numbers, params
from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.mxnet.reader import Source, read_graph
from unified_blocks.porting.mxnet.symbols import symbol_of

X = {"data": ((1, 3, 8, 8), "float32")}
ARRAYS = {
    "fc_weight_quantize": numbers(3, 4, dtype="int8"),
    "fc_bias_quantize": -numbers(3, dtype="int32"),
    "fc_zero_quantize": numbers(3, dtype="uint8"),
    "fc_weight_quantize_min": numbers(1),
}


def test_the_numbers_of_a_quantized_network_are_read_and_written(tmp_path):
    content = params(*map(array, ARRAYS.values()), names=[f"arg:{name}" for name in ARRAYS])
    (tmp_path / "net.params").write_bytes(content)
    file = ub.read_state(tmp_path / "net.params")
    for name, values in ARRAYS.items():
        np.testing.assert_array_equal(file[name], values, strict=True)
    for suffix in (".params", ".safetensors", ".pt"):
        ub.write_state(file, tmp_path / f"again{suffix}")
        assert ub.diff_state(ub.read_state(tmp_path / f"again{suffix}"), file).equal


def chain(*operators):
    """A graph of operators, each of which takes what the one before gives."""
    nodes = [{"op": "null", "name": "data", "inputs": []}]
    for i, (operator, options) in enumerate(operators):
        inputs = [[i, 0, 0]]
        nodes.append({"op": operator, "name": f"n{i}", "attrs": options, "inputs": inputs})
    return json.dumps({"nodes": nodes, "heads": [[len(operators), 0, 0]]})


RELU = ("Activation", {"act_type": "relu"})
CASES = {
    "quantized": (("_contrib_quantize_v2", {"out_type": "auto"}), "was quantized by MXNet: port"),
    "quantized and fused": (("_sg_mkldnn_conv", {"quantized": "true"}), "was quantized by MXNet"),
    "fused": (("_sg_mkldnn_conv", {"with_act": "true"}), "was fused by MXNet for one machine"),
    "unknown": (("Custom", {}), r"cut the network before them with outputs=\[…\]"),
}


@pytest.mark.parametrize(("operator", "remedy"), CASES.values(), ids=CASES)
def test_what_mxnet_made_of_a_network_is_refused(operator, remedy):
    source = Source("net", symbol_of(chain(RELU, operator)), {})
    with pytest.raises(UnsupportedError, match=rf"n1: operator {operator[0]}[^$]*{remedy}"):
        read_graph(source, X)


@pytest.mark.parametrize("fused", [False, True])
def test_a_network_that_mxnet_quantizes(tmp_path, fused):
    if "mxnet" not in ub.available_backends():
        pytest.skip("mxnet is not installed")
    from unified_blocks_mxnet.compat import mx

    h = mx.sym.Convolution(mx.sym.Variable("data"), kernel=(3, 3), num_filter=4, name="conv")
    h = mx.sym.FullyConnected(mx.sym.Activation(h, "relu"), num_hidden=3, name="fc")
    module = mx.mod.Module(h, label_names=None)
    module.bind([("data", (1, 3, 8, 8))], for_training=False)
    module.init_params(mx.init.Normal(1))
    from mxnet.contrib.quantization import quantize_model

    symbol, arguments, _ = quantize_model(
        h.get_backend_symbol("MKLDNN_QUANTIZE") if fused else h,
        *module.get_params(),
        calib_mode="none",
        quantized_dtype="int8",
        label_names=None,
    )
    path = tmp_path / "net-0000.params"
    mx.nd.save(str(path), {f"arg:{name}": each for name, each in arguments.items()})
    file = ub.read_state(path)
    assert {np.dtype("int8")} < {each.dtype for each in file.values()}
    for stored in file.tensors.values():
        expected = arguments[stored.stored_name.removeprefix("arg:")].asnumpy()
        np.testing.assert_array_equal(stored.read(), expected, strict=True)
    known = {name: each.asnumpy() for name, each in arguments.items()}
    with pytest.raises(UnsupportedError, match=r"_contrib_quantize_v2[^$]*was quantized by MXNet"):
        read_graph(Source("net", symbol_of(symbol.tojson()), known), X)
