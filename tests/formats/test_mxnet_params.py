"""Files of MXNet that are right are read bit for bit, whichever version wrote them."""

import json
import weakref
import zipfile
from pathlib import Path

import numpy as np
import pytest

from testbed.params_files import (
    BFLOAT16,
    CODES,
    LEGACY,
    NO_STORAGE,
    NUMPY,
    announced,
    array,
    npy,
    numbers,
    params,
    some_rows,
    zip_of,
    zipped,
)
from unified_blocks.errors import FileFormatError, UnsupportedError
from unified_blocks.formats.mxnet import params as mxnet_params
from unified_blocks.formats.stored import Stored

NORM = {
    "norm.gamma": "norm.weight",
    "norm.beta": "norm.bias",
    "norm.running_mean": "norm.running_mean",
    "norm.running_var": "norm.running_var",
}
NAMES = [
    ({"features.0.weight": "features.0.weight", **NORM}, "what save_parameters writes"),
    ({"weight": "weight", "bias": "bias"}, "of a network that is one layer"),
    ({"gamma": "weight", "beta": "bias"}, "of a network that is one norm"),
    ({"i2h_weight": "weight_ih", "h2h_bias": "bias_hh"}, "of a network that is one cell"),
    ({"a.gamma": "a.gamma", "a.weight": "a.weight"}, "a layer that has both"),
    ({"_unfused.0.i2h_weight": "weight_ih_l0"}, "an LSTM"),
    ({"_unfused.1.r_cell.h2h_bias": "bias_hh_l1_reverse"}, "a bidirectional one"),
    ({"a.rnn._unfused.0.l_cell.h2r_weight": "a.rnn.weight_hr_l0"}, "one in a network"),
    ({"net.my_weight": "net.my_weight", "x_bias": "x_bias"}, "an attribute of this name"),
    ({"arg:resnetv10_conv0_weight": "resnetv10_conv0.weight"}, "what export writes"),
    ({"arg:bn0_gamma": "bn0.weight", "arg:bn0_beta": "bn0.bias"}, "an exported norm"),
    ({"aux:bn0_running_var": "bn0.running_var"}, "its statistics"),
    ({"aux:bn0_moving_mean": "bn0.running_mean"}, "a norm of mx.sym"),
    ({"arg:lstm0_l0_i2h_weight": "lstm0.weight_ih_l0"}, "an exported recurrent layer"),
    ({"arg:net0_l0_weight": "net0_l0.weight"}, "a layer that is called like a recurrent one"),
    ({"dense0_weight": "dense0.weight"}, "what save_params wrote"),
    ({"arg:const": "const"}, "a name without a layer"),
    ({"arg:a.my_weight": "a.my_weight"}, "an exported name with dots"),
    ({"größe.weight": "größe.weight"}, "a name that is not ASCII"),
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.params"


def read(path: Path, content: bytes):
    path.write_bytes(content)
    return mxnet_params.read(path)


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@pytest.mark.parametrize("mark", [NUMPY, LEGACY, NO_STORAGE, None])
def test_every_mark(path, mark):
    a, b = numbers(2, 3), numbers(4)
    file = read(path, params(array(a, mark), array(b, mark), names=["x.weight", "x.bias"]))
    assert list(file) == ["x.weight", "x.bias"]
    assert same(file["x.weight"], a)
    assert same(file["x.bias"], b)
    assert file.format == mxnet_params.NAME
    assert file.tensors["x.weight"].shape == (2, 3)


@pytest.mark.parametrize("name", CODES)
def test_every_dtype(path, name):
    values = numbers(3, dtype=name)
    file = read(path, params(array(values), names=["a.x"]))
    assert same(file["a.x"], values)
    assert file.tensors["a.x"].dtype == name
    assert file.tensors["a.x"].nbytes == values.nbytes


@pytest.mark.parametrize("shape", [(2**16,), (1,), ()])
def test_every_bfloat16_is_exact(path, shape):
    bits = np.arange(int(np.prod(shape)), dtype="u2")
    content = params(array(bits.reshape(shape), NUMPY, BFLOAT16), names=["a.x"])
    file = read(path, content)
    assert same(file["a.x"], (bits.astype("u4") << 16).view("f4").reshape(shape))
    assert (file.tensors["a.x"].dtype, file.tensors["a.x"].stored_dtype) == ("float32", "bfloat16")


def test_a_bool_is_0_or_1(path):
    file = read(path, params(array(np.array([0, 1, 2, 255], "u1"), code=CODES["bool"])))
    assert same(file["0"], np.array([False, True, True, True]))


def test_a_scalar_and_empty_arrays(path):
    content = params(array(np.float32(3), NUMPY), array(numbers(0, 2), NUMPY), array(numbers(2, 0)))
    file = read(path, content)
    assert [a.shape for a in file.values()] == [(), (0, 2), (2, 0)]
    assert file["0"] == 3


@pytest.mark.parametrize(
    "record",
    [
        announced(LEGACY, (), 0)[:12],
        announced(NO_STORAGE, (), 0)[:8],
        announced(None, (), 0)[:4],
        announced(NUMPY, (2, -1), 0)[: 12 + 16],
        announced(NUMPY, (), 0)[:8] + b"\xff\xff\xff\xff",
    ],
)
def test_an_array_without_a_shape_is_empty(path, record):
    file = read(path, params(record, array(numbers(2)), names=["a.x", "a.y"]))
    assert same(file["a.x"], np.empty(0, "float32"))
    assert same(file["a.y"], numbers(2))


def test_a_list_is_numbered(path):
    assert list(read(path, params(array(numbers(1)), array(numbers(2))))) == ["0", "1"]


def test_a_file_without_arrays(path):
    assert dict(read(path, params())) == {}


@pytest.mark.parametrize("mark", [NUMPY, LEGACY])
@pytest.mark.parametrize("places", [[], [3], [4, 0]])
@pytest.mark.parametrize("name", ["float32", "int64"])
def test_an_array_of_which_some_rows_are_stored_has_all_of_them(path, mark, places, name):
    held = numbers(len(places), 3, 2, dtype=name)
    whole = np.zeros((5, 3, 2), name)
    whole[places] = held
    content = params(
        some_rows(places, held, (5, 3, 2), mark), array(numbers(2)), names=["a.weight", "b.x"]
    )
    file = read(path, content)
    assert same(file["a.weight"], whole)
    assert file.tensors["a.weight"].shape == (5, 3, 2)
    assert same(file["b.x"], numbers(2))


def test_an_array_that_is_not_aligned_is_moved(path):
    content = params(array(numbers(3, dtype="int8")), array(numbers(2, dtype="float64")))
    a = read(path, content)["1"]
    assert a.flags.aligned
    assert same(a, numbers(2, dtype="float64"))


@pytest.mark.parametrize(("names", "what"), NAMES, ids=[what for _, what in NAMES])
def test_names_become_canonical(path, names, what):
    file = read(path, params(*[array(numbers(2))] * len(names), names=names))
    assert list(file) == list(names.values())
    stored = {name: stored.stored_name or name for name, stored in file.tensors.items()}
    assert stored == {name: key for key, name in names.items()}


def test_only_a_gamma_of_one_dimension_is_a_weight(path):
    assert list(read(path, params(array(numbers(2, 1)), names=["a.gamma"]))) == ["a.gamma"]


def test_roles(path):
    names = ["arg:a_weight", "aux:a_state", "arg:a_running_mean"]
    roles = [
        t.role for t in read(path, params(*[array(numbers(1))] * 3, names=names)).tensors.values()
    ]
    assert roles == ["parameter", "constant", "constant"]
    names = ["a.weight", "a.running_mean"]
    roles = [
        t.role for t in read(path, params(*[array(numbers(1))] * 2, names=names)).tensors.values()
    ]
    assert roles == [None, "constant"]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_file_of_2_0(path, compression):
    arrays = {f"a.{dtype}": numbers(2, 3, dtype=dtype) for dtype in CODES}
    arrays |= {"b.gamma": numbers(4), "b.scalar": np.float64(2), "b.empty": numbers(0, 3)}
    arrays |= {"c.big": numbers(2, 2, dtype=">f4"), "c.transposed": numbers(2, 3).T}
    file = read(path, zipped(arrays, compression))
    assert list(file) == [name.replace("gamma", "weight") for name in arrays]
    for (name, values), read_values in zip(arrays.items(), file.values(), strict=True):
        native = np.asarray(values, np.asarray(values).dtype.newbyteorder("="))
        np.testing.assert_array_equal(read_values, native, err_msg=name, strict=True)


def test_a_bfloat16_of_2_0(path):
    bits = np.array([0x3F80, 0xC000], "u2")
    file = read(path, zip_of({"a.x.npy": npy("[('bfloat16', '<u2')]", "(2,)", bits.tobytes())}))
    assert same(file["a.x"], np.array([1, -2], "float32"))
    assert file.tensors["a.x"].stored_dtype == "bfloat16"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (params(array(numbers(2))), True),
        (zipped({"a.x": numbers(2)}), True),
        (zip_of({"archive/data.pkl": b"..."}), False),
        (b"PK\x03\x04", False),
        (b"\x12\x01", False),
        (b"", False),
    ],
    ids=["params", "zip of arrays", "zip of a pickle", "start of a zip", "two bytes", "nothing"],
)
def test_recognises(path, content, expected):
    assert mxnet_params.recognises(content[:64], path) is expected


def tensors(arrays, **kwargs):
    return [
        Stored(name, a.shape, a.dtype.name, lambda a=a: a, **kwargs) for name, a in arrays.items()
    ]


def test_what_is_written_is_what_mxnet_writes(path):
    arrays = {"0.weight": numbers(3, 2), "0.bias": numbers(3), "1.weight": numbers(3)}
    arrays |= {
        "1.bias": numbers(3),
        "1.running_mean": numbers(3),
        "flags": numbers(2, dtype="bool"),
    }
    mxnet_params.write(path, tensors(arrays), {})
    names = ["0.weight", "0.bias", "1.gamma", "1.beta", "1.running_mean", "flags"]
    assert path.read_bytes() == params(*map(array, arrays.values()), names=names)
    file = mxnet_params.read(path)
    assert list(file) == list(arrays)
    assert all(same(file[name], a) for name, a in arrays.items())


def test_the_kind_says_what_is_a_norm(path):
    mxnet_params.write(path, tensors({"a.weight": numbers(3)}, kind="PReLU"), {})
    assert path.read_bytes() == params(array(numbers(3)), names=["a.alpha"])
    mxnet_params.write(path, tensors({"a.bias": numbers(3)}, kind="BatchNorm"), {})
    assert path.read_bytes() == params(array(numbers(3)), names=["a.beta"])


def test_a_file_with_a_scalar_is_marked_as_one_of_numpy_semantics(path):
    arrays = {"a.x": np.full((), 2.0), "a.y": numbers(2, 2).T, "a.z": numbers(2).astype(">f4")}
    mxnet_params.write(path, tensors(arrays), {})
    transposed = np.ascontiguousarray(arrays["a.y"])
    expected = [array(a, NUMPY) for a in (arrays["a.x"], transposed, numbers(2))]
    assert path.read_bytes() == params(*expected, names=arrays)


def test_writing_reads_one_array_at_a_time(path):
    alive = []

    def make():
        assert not any(reference() is not None for reference in alive)
        a = numbers(100)
        alive.append(weakref.ref(a))
        return a

    mxnet_params.write(path, [Stored(f"a.{i}", (100,), "float32", make) for i in range(5)], {})
    assert len(alive) == 5


@pytest.mark.parametrize("name", ["int16", "uint32", "complex64"])
def test_a_dtype_that_mxnet_lacks_leaves_no_file(path, name):
    with pytest.raises(UnsupportedError, match=rf"dtype={name} of a\.x; convert it"):
        mxnet_params.write(path, tensors({"a.x": numbers(2, dtype=name)}), {})
    assert list(path.parent.iterdir()) == []


def test_two_arrays_of_one_name_are_not_written(path):
    with pytest.raises(FileFormatError, match=r"must be unique; got a\.x twice"):
        mxnet_params.write(path, tensors({"a.x": numbers(2)}) * 2, {})


def graph(*norms):
    nodes = [{"op": "null", "name": f"bn{i}_gamma", "inputs": []} for i in range(len(norms))]
    for i, norm in enumerate(norms):
        nodes.append({"op": "BatchNorm", "name": f"bn{i}", "inputs": [[0, 0], [i, 0]], **norm})
    return {"nodes": nodes, "arg_nodes": [], "heads": []}


@pytest.mark.parametrize(
    ("norm", "is_one"),
    [
        ({"attrs": {"fix_gamma": "True"}}, True),
        ({"attrs": {"fix_gamma": "False"}}, False),
        ({"attrs": {"fix_gamma": "1"}}, True),
        ({"attrs": {"eps": "1e-5"}}, True),
        ({}, True),
        ({"attr": {"fix_gamma": "False"}}, False),
        ({"param": {"fix_gamma": "False"}}, False),
        ({"op": "_npx_batch_norm"}, True),
        ({"op": "LayerNorm"}, False),
    ],
)
def test_a_gamma_that_the_graph_ignores_is_one(tmp_path, norm, is_one):
    (tmp_path / "net-symbol.json").write_text(json.dumps(graph(norm)))
    values = 5 * numbers(3, dtype="float16")
    file = read(tmp_path / "net-0012.params", params(array(values), names=["arg:bn0_gamma"]))
    assert same(file["bn0.weight"], np.ones(3, "float16") if is_one else values)
    assert file.metadata == ({"fix_gamma": ["bn0.weight"]} if is_one else {})


def test_the_graph_tells_what_norms_compute_with(tmp_path):
    norms = (
        {"attrs": {"eps": "0.0001", "momentum": "0.8", "fix_gamma": "False"}},
        {},
        {"op": "LayerNorm"},
        {"op": "InstanceNorm", "attrs": {"eps": "0.5"}},
    )
    (tmp_path / "net-symbol.json").write_text(json.dumps(graph(*norms)))
    names = [f"arg:bn{i}_gamma" for i in range(len(norms))]
    file = read(tmp_path / "net-0000.params", params(*[array(numbers(3))] * 4, names=names))
    assert file.settings == {
        "bn0": {"epsilon": 1e-4, "momentum": 0.8, "fix_gamma": False},
        "bn1": {"epsilon": 1e-3, "momentum": 0.9, "fix_gamma": True},
        "bn2": {"epsilon": 1e-5},
        "bn3": {"epsilon": 0.5},
    }


def test_the_graph_of_another_file_is_not_read(tmp_path):
    (tmp_path / "net-symbol.json").write_text("not read")
    for name in ("other-0000.params", "net.params", "net-0000.params.bak"):
        assert (
            read(tmp_path / name, params(array(numbers(1)), names=["arg:bn0_gamma"])).metadata == {}
        )


# In which order arrays are.

CHAIN = [f"fc{i}_{last}" for i in (1, 2, 3) for last in ("weight", "bias")]
"""In the order of their graph."""


def written(path, names):
    return read(path, params(*[array(numbers(2))] * len(names), names=names))


def in_graph(path, names):
    nodes = [{"op": "null", "name": name, "inputs": []} for name in ("data", *names)]
    path.write_text(json.dumps({"nodes": nodes}))


@pytest.mark.parametrize(
    "names",
    [
        ["arg:fc2_weight", "arg:fc2_bias", "arg:fc3_weight", "arg:fc3_bias", "arg:fc1_weight"],
        ["arg:fc3_bias", "arg:fc1_weight", "arg:fc2_bias", "arg:fc1_bias", "arg:fc2_weight"],
        ["arg:fc1_weight", "arg:fc2_weight", "arg:fc3_weight"],
    ],
)
def test_the_order_of_a_module_is_that_of_its_graph(tmp_path, names):
    path = tmp_path / "net-0003.params"
    without = written(path, names)
    assert not without.ordered
    assert "net-symbol.json" in without.order_remedy
    in_graph(tmp_path / "net-symbol.json", CHAIN)
    file = written(path, names)
    assert file.ordered
    assert [name.replace(".", "_") for name in file] == [n for n in CHAIN if f"arg:{n}" in names]


def test_what_belongs_to_a_layer_stays_together(tmp_path):
    """A graph has the statistics of a norm after its gamma; a Module saves them after all else."""
    in_graph(tmp_path / "n-symbol.json", ["bn_gamma", "fc_weight", "bn_beta", "bn_moving_mean"])
    names = ["arg:fc_weight", "arg:bn_gamma", "arg:bn_beta", "aux:bn_moving_mean"]
    file = written(tmp_path / "n-0000.params", names)
    assert list(file) == ["bn.weight", "bn.bias", "bn.running_mean", "fc.weight"]


def test_a_graph_that_lacks_an_array_tells_no_order(tmp_path):
    in_graph(tmp_path / "net-symbol.json", CHAIN)
    assert not written(tmp_path / "net-0000.params", ["arg:fc1_weight", "arg:fc9_weight"]).ordered


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        (["0.weight", "0.bias", "2.weight", "10.weight"], True),
        (["up2.weight", "up1.weight"], True),
        (["body.0.weight", "body.1.0.weight", "head.0.weight"], True),
        (["dense0_weight", "dense0_bias", "dense1_weight"], True),
        (["weight", "bias"], True),
        (["10.weight", "2.weight"], False),
        (["body.1.weight", "head.0.weight", "body.0.weight"], False),
        (["a.weight", "b.weight", "a.bias"], False),
        (["dense0_weight", "dense1_weight", "dense0_bias"], False),
        ([f"{'9' * 5000}.weight", "0.weight"], True),
    ],
)
def test_a_dict_without_order_is_seen_where_it_shows(path, names, ordered):
    assert written(path, names).ordered is ordered
