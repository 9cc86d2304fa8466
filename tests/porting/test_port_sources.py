"""What `ub.port` begins with: files, dicts and examples; each wrong one has a clear error."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.exported import ARRAYS, Graph, save, small_network
from unified_blocks.porting.decisions import decisions
from unified_blocks.porting.examples import numbers_for
from unified_blocks.porting.mxnet.reader import read_graph
from unified_blocks.porting.port import network_of

IMAGE = (1, 3, 8, 8)


def read(source, params=None, example=IMAGE, outputs=None):
    network, given = network_of(source, params, example, outputs)
    graph = read_graph(network, {name: each.typed for name, each in given.items()}, outputs)
    return network, given, graph


def test_the_numbers_beside_the_graph_are_found(tmp_path):
    network, given, graph = read(save(tmp_path)[0])
    assert network.name == "small"
    assert given["data"].typed == (IMAGE, "float32")
    assert graph.outputs[0].shape == (1, 5)
    assert {*network.arrays} == {*ARRAYS}
    assert "small-symbol.json and small-0000.params" in network.origin


@pytest.mark.parametrize("prefix", ["", "arg:"])
def test_numbers_of_a_dict_are_as_those_of_a_file(tmp_path, prefix):
    arrays = {prefix + name: array for name, array in ARRAYS.items()}
    network, *_ = read(save(tmp_path)[0], arrays)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(network.arrays[name], array)


def test_tensors_are_numbers_too(tmp_path, backend):
    arrays = {name: ub.as_tensor(array, backend.name) for name, array in ARRAYS.items()}
    _, given, _ = read(save(tmp_path)[0], arrays, ub.as_tensor(np.zeros(IMAGE), backend.name))
    assert given["data"].typed == (IMAGE, "float32")
    assert given["data"].array.shape == IMAGE


@pytest.mark.parametrize(
    "example",
    [IMAGE, list(IMAGE), {"data": IMAGE}, (IMAGE,), (IMAGE, "float32"), np.zeros(IMAGE),
     (np.zeros(IMAGE, "float32"),), {"data": np.zeros(IMAGE, "float16")}],
    ids=lambda example: type(example).__name__,
)  # fmt: skip
def test_an_example_is_an_array_or_a_shape(tmp_path, example):
    _, given, _ = read(save(tmp_path)[0], example=example)
    assert given["data"].typed == (IMAGE, "float32")


def test_a_shape_that_the_graph_notes_needs_no_example(tmp_path):
    graph, _ = save(tmp_path, small_network(shape=IMAGE))
    assert read(graph, example=None)[1]["data"].shape == IMAGE
    assert read(graph, example=(2, *IMAGE[1:]))[1]["data"].shape[0] == 2


def test_what_is_drawn_is_of_the_dtype_and_of_no_other_batch(tmp_path):
    _, given, graph = read(save(tmp_path)[0], example=((2, *IMAGE[1:]), "float16"))
    drawn = numbers_for(graph, given)["data"]
    assert drawn.dtype == "float16"
    assert drawn.shape == (2, 3, 8, 8)
    assert len(np.unique(drawn)) > 100
    given = {"data": given["data"].__class__(IMAGE, "int32")}
    assert {*np.unique(numbers_for(graph, given)["data"])} == {0, 1}
    x = np.arange(192.0).reshape(IMAGE)
    given = network_of(save(tmp_path)[0], None, x, None)[1]
    np.testing.assert_array_equal(numbers_for(graph, given)["data"], x)


def test_what_is_left_out_or_fixed_is_told(tmp_path):
    arrays = {**ARRAYS, "other": np.zeros(3, "float32")}
    network, _, graph = read(save(tmp_path, arrays=arrays)[0])
    found = "\n".join(decisions(network, graph))
    assert "not trained, as in the original: bn0_gamma" in found
    assert "in the file, and not in the graph: other" in found
    network, _, graph = read(save(tmp_path)[0], outputs=["relu0"])
    assert "left out, with all that only it needs: fc1" in decisions(network, graph)


def wrong(match, error=ub.InputError, **given):
    return pytest.param(given, error, match, id=match[:40])


WRONG = [
    wrong("its inputs must fit", example=(1, 5, 8, 8)),
    wrong("must have sizes from 1; got", example=(0, 3, 8, 8)),
    wrong("takes data, and got none for data: give example=", example=None),
    wrong("an example must have what each input is given, data; got 2", example=(IMAGE, IMAGE)),
    wrong("inputs of small, data; got one of 'x'", example={"x": IMAGE}),
    wrong("must be an array, a tensor or a shape; got a set for 'data'", example={1, 2}),
    wrong("a batch that is not empty", example=np.zeros((0, 3, 8, 8))),
    wrong("the dtype of an input must be one of", example=(IMAGE, "float")),
    wrong("outputs: each must be the name of a node; got 'fc2'", outputs=["fc2"]),
    wrong("must compute something; got data of small, which is given as it is", outputs=["data"]),
    wrong("params must be a .params file or a dict of arrays; got int", params=3),
    wrong("No such file", FileNotFoundError, params="nowhere.params"),
    wrong("No such file", FileNotFoundError, source="nowhere-symbol.json"),
    wrong("No such file", FileNotFoundError, source="nowhere/resnet18_v1"),
    wrong("'resnet50_v3', which is neither: did you mean resnet50_v2", source="resnet50_v3"),
    wrong("zoo; got 'q', which is neither: it has alexnet, densenet121", source="q"),
    wrong("must be given; got 'alexnet' alone: give its .params file", source="alexnet"),
    wrong("missing, and nothing else", ub.StateMismatchError, source="alexnet", params={}),
    wrong("must be the path of a graph, a live Gluon net, .* got a int", source=3),
]


@pytest.mark.parametrize(("given", "error", "match"), WRONG)
def test_what_is_wrong_is_told(tmp_path, given, error, match):
    options = {"source": save(tmp_path)[0], "example": IMAGE, **given}
    with pytest.raises(error, match=match):
        ub.port(options.pop("source"), "torch", **options)


def test_every_node_that_cannot_be_read_is_told_however_many_there_are(tmp_path):
    graph = Graph()
    (x,) = graph.given("data")
    for i in range(30):
        x = graph(f"my_operator_{i}", f"node{i}", x)
    path, _ = save(tmp_path, graph.text(x), {})
    with pytest.raises(ub.UnsupportedError) as error:
        ub.port(path, "torch", example=(1, 3))
    assert all(f"node{i}: operator my_operator_{i}" in str(error.value) for i in range(30))


@pytest.mark.parametrize(
    ("to", "layout", "match"),
    [
        ("mxnet", None, "to must be one of torch, tensorflow, unified_blocks .or .*keras.*mxnet"),
        (None, None, "to must be one of"),
        ("torch", "channels_last", "for 'torch', which has channels first: leave it out"),
        ("keras", "NHWC", "layout must be one of channels_last, channels_first; got 'NHWC'"),
    ],
)
def test_another_target_or_layout_is_told(tmp_path, to, layout, match):
    with pytest.raises(ub.InputError, match=match):
        ub.port(save(tmp_path)[0], to, layout=layout, example=IMAGE)


def test_a_graph_without_numbers_beside_it_is_told(tmp_path):
    graph, numbers = save(tmp_path)
    save(tmp_path, number="0009")
    with pytest.raises(ub.InputError, match=r"got small-0000.params, small-0009.params: give"):
        read(graph)
    numbers.unlink()
    assert "small-0009.params" in read(graph)[0].origin
    (tmp_path / "small-0009.params").unlink()
    with pytest.raises(ub.InputError, match=r"one file small-0000.params; got none: give the file"):
        read(graph)


def test_files_that_are_something_else_are_told(tmp_path):
    graph, numbers = save(tmp_path)
    with pytest.raises(ub.InputError, match=r"which has numbers only: give net-symbol.json before"):
        read(numbers)
    with pytest.raises(ub.FileFormatError, match="a symbol that MXNet wrote as JSON"):
        read(numbers.rename(tmp_path / "other-symbol.json"), ARRAYS)
    with pytest.raises(ub.InputError, match=r"got the folder .*: give .*small-symbol.json"):
        read(tmp_path)
    ub.write_state(ARRAYS, tmp_path / "numbers.safetensors")
    with pytest.raises(ub.FileFormatError, match=r"a \.params file of MXNet; got .*safetensors"):
        read(graph, tmp_path / "numbers.safetensors")


def test_numbers_of_another_network_are_told(tmp_path):
    graph, _ = save(tmp_path)
    structural = {name.replace("_", ".", 1): array for name, array in ARRAYS.items()}
    with pytest.raises(ub.StateMismatchError, match="are names of save_parameters, which no graph"):
        read(graph, structural)
    other = {name.replace("0", "9"): array for name, array in ARRAYS.items()}
    with pytest.raises(ub.StateMismatchError, match=r"missing, and got 'conv9_weight'.* instead"):
        read(graph, other)
    with pytest.raises(ub.StateMismatchError, match="nothing else: give the file that belongs"):
        read(graph, {k: v for k, v in ARRAYS.items() if k != "fc1_bias"})
    wide = {**ARRAYS, "conv0_weight": np.zeros((8, 3, 3, 3))}
    with pytest.raises(ub.StateMismatchError, match=r"got \(8, 3, 3, 3\) of 'conv0_weight', which"):
        read(graph, wide)


def test_a_graph_of_int8_is_refused(tmp_path):
    graph = Graph()
    data = graph("null", "data")
    small = graph("_contrib_quantize_v2", "data_quantize", data, out_type="int8")
    path, _ = save(tmp_path, graph.text(small), {})
    with pytest.raises(ub.UnsupportedError, match="got one of int8, with 1 nodes such as _contrib"):
        read(path)


def test_all_that_cannot_be_read_is_one_error(tmp_path):
    path, _ = save(tmp_path, small_network(operator="nobody", head="_contrib_nobody"))
    with pytest.raises(ub.UnsupportedError, match=r"(?s)act_type=nobody.*_contrib_nobody.*outputs"):
        read(path)


@pytest.mark.skipif("mxnet" not in ub.available_backends(), reason="MXNet writes the files")
def test_a_network_of_the_zoo_is_read_by_its_name_from_every_file_of_it(tmp_path):
    from testbed.zoo import vision
    from unified_blocks_mxnet.compat import mx

    net = vision.get_model("mobilenet0.25", classes=3)
    net.initialize()
    net.hybridize()
    net(mx.nd.zeros((1, 3, 32, 32)))
    net.save_parameters(str(tmp_path / "structural.params"))
    net.export(str(tmp_path / "net"))
    wanted = {".".join(path): p.data().asnumpy() for path, p in structural(net)}
    for file in ("structural.params", "net-0000.params"):
        network, _, graph = read("mobilenet0.25", tmp_path / file, (1, 3, 32, 32))
        assert graph.outputs[0].shape == (1, 3)
        assert {".".join(network.names[name]) for name in network.arrays} == {*wanted}
        for name, array in network.arrays.items():
            np.testing.assert_array_equal(array, wanted[".".join(network.names[name])])
    assert read("mobilenet0.25", tmp_path / file, None)[1]["data"].shape == (1, 3, 224, 224)
    with pytest.raises(ub.StateMismatchError, match=r"alexnet: params must have every array"):
        read("alexnet", tmp_path / file)


def structural(net):
    """Each parameter, by the names of the blocks that own it."""
    return [(name.split("."), p) for name, p in net._collect_params_with_prefix().items()]
