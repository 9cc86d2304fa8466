"""`unified-blocks inspect` of a graph of MXNet: what its network takes, gives and computes."""

import json

import pytest
from typer.testing import CliRunner

import unified_blocks as ub
from testbed.params_files import array, numbers, params
from unified_blocks.cli.files import app
from unified_blocks.errors import FileFormatError

KEYS = {"0.8": "param", "0.9": "attr", "1.0": "attrs"}
"""What the options of an operator are called in files of each age."""
VERSIONS = {"0.8": None, "0.9": "0.9.5", "1.0": "1.9.1"}


def unified_blocks(*arguments):
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def network(age):
    """A graph as MXNet wrote it at that age: of two norms, one of which is not plain."""
    nodes, key = [], KEYS[age]

    def given(name, **notes):
        nodes.append({"op": "null", "name": name, "inputs": [], "attr": notes})
        return len(nodes) - 1

    def node(operator, name, *inputs, **options):
        told = {k: str(v) for k, v in options.items()}
        node = {"op": operator, "name": name, "inputs": [[i, 0, 0] for i in inputs], key: told}
        nodes.append(node)
        return len(nodes) - 1

    x = given("data", __shape__="(1, 3, 8, 8)", __dtype__="2")
    kernel = given("conv_weight", __shape__="(4, 3, 3, 3)", __dtype__="0", __init__="zeros")
    x = node("Convolution", "conv", x, kernel, kernel="(3, 3)", num_filter=4, no_bias=True)
    for name, options in (("bn0", {}), ("bn1", {"eps": "2e-05", "fix_gamma": "False"})):
        arrays = [given(f"{name}_{last}") for last in ("gamma", "beta")]
        if age != "0.8":  # which did not list what is no parameter
            arrays += [given(f"{name}_moving_{last}") for last in ("mean", "var")]
        x = node("BatchNorm", name, x, *arrays, **options)
    x = node("Pooling", "pool", x, kernel="(2, 2)", pooling_convention="full", pool_type="avg")
    x = node("Dropout", "drop", x, p=0.25)
    x = node("Mystery", "odd", x, given("extra"))
    x = node("SoftmaxOutput", "softmax", x, given("softmax_label"))
    graph = {"nodes": nodes, "heads": [[x, 0, 0], [x, 1, 0]]}
    if age != "0.8":
        number = {"0.9": 905, "1.0": 10901}[age]
        graph["attrs"] = {"mxnet_version": ["int", number]}
    return graph


@pytest.fixture(params=KEYS)
def age(request):
    return request.param


@pytest.fixture
def path(tmp_path, age):
    path = tmp_path / "net-symbol.json"
    path.write_text(json.dumps(network(age), indent=2))
    return path


def told(path):
    done = unified_blocks("inspect", "--json", path)
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_a_graph_of_any_age_is_described(path, age):
    graph = told(path)
    assert (graph["format"], graph["version"]) == ("mxnet-symbol", VERSIONS[age])
    assert graph["inputs"] == [
        {"name": "data", "shape": [1, 3, 8, 8], "dtype": "float16", "label": False},
        {"name": "extra", "shape": None, "dtype": None, "label": False},
        {"name": "softmax_label", "shape": None, "dtype": None, "label": True},
    ]
    assert graph["outputs"] == ["softmax", "softmax:1"]
    by_role = {}
    for each in graph["arrays"]:
        by_role.setdefault(each["role"], set()).add(each["name"])
    norms = ("bn0", "bn1")
    assert by_role == {
        "parameter": {"conv_weight", *(f"{n}_{last}" for n in norms for last in ("gamma", "beta"))},
        "constant": {f"{n}_moving_{last}" for n in norms for last in ("mean", "var")},
    }
    assert {
        "name": "conv_weight",
        "shape": [4, 3, 3, 3],
        "dtype": "float32",
        "role": "parameter",
    } in (graph["arrays"])


def test_what_operators_compute_is_counted_with_the_defaults_of_mxnet(path):
    operators = {each["operator"]: each for each in told(path)["operators"]}
    assert operators["BatchNorm"]["count"] == 2
    assert operators["BatchNorm"]["options"] == {
        "eps": {"0.001": 1, "2e-05": 1},
        "momentum": {"0.9": 2},
        "fix_gamma": {"True": 1, "False": 1},
        "use_global_stats": {"False": 2},
    }
    assert operators["Pooling"]["options"]["pooling_convention"] == {"full": 1}
    assert operators["Dropout"]["options"]["p"] == {"0.25": 1}
    assert operators["Mystery"]["options"] == {}
    assert operators["Convolution"]["portable"]
    assert not operators["Mystery"]["portable"]


def test_a_person_sees_what_is_not_plain(path, age):
    shown = unified_blocks("inspect", path).stdout
    version = f"MXNet {VERSIONS[age] or 'before 0.9'}"
    assert f"a graph of {version}, 7 operators of 6 kinds" in shown
    for text in (
        *("data, shape (1, 3, 8, 8), float16", "softmax_label, a label, for training only"),
        *("softmax:1", "expects 5 parameters and 4 running means and variances"),
        *("fix_gamma: True (1), False (1)", "pooling_convention: full", "p: 0.25"),
        *("eps: 0.001 (1), 2e-05 (1)", "not known to ub.port: ", "Mystery"),
    ):
        assert text in shown
    for plain in ("momentum", "use_global_stats", "num_group", "count_include_pad", "global_pool"):
        assert plain not in shown


@pytest.mark.parametrize(
    "options", [{"num_group": "11"}, {"dilate": "(2, 2)"}, {"dilate": "(1, 2)"}], ids=str
)
def test_an_option_that_looks_like_the_default_is_shown(tmp_path, options):
    given, node = {"op": "null", "name": "x", "inputs": []}, {"op": "Convolution", "name": "c"}
    node |= {"inputs": [[0, 0, 0]], "attrs": options}
    graph = {"nodes": [given, node], "heads": [[1, 0, 0]]}
    (tmp_path / "a.json").write_text(json.dumps(graph))
    (text,) = (f"{name}: {value}" for name, value in options.items())
    assert text in unified_blocks("inspect", tmp_path / "a.json").stdout


NODE = {"op": "relu", "name": "a", "inputs": []}
WRONG = {
    "no graph": {"layers": []},
    "no heads": {"nodes": []},
    "another node": {"nodes": [1], "heads": []},
    "a circle": {"nodes": [{**NODE, "inputs": [[0, 0, 0]]}], "heads": [[0, 0, 0]]},
    "an output that is none": {"nodes": [NODE], "heads": [[1, 0, 0]]},
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_json_that_is_no_graph_of_mxnet(tmp_path, content):
    (tmp_path / "a.json").write_text(json.dumps(content))
    done = unified_blocks("inspect", tmp_path / "a.json")
    assert done.exit_code == 2
    assert "a.json: must be a symbol that MXNet wrote as JSON, with nodes and heads" in done.stderr


def test_broken_json_is_an_error_too(tmp_path):
    (tmp_path / "a.json").write_text('{"nodes": [')
    done = unified_blocks("inspect", tmp_path / "a.json")
    assert done.exit_code == 2
    assert "must be a symbol that MXNet wrote" in done.stderr


def test_names_in_a_graph_do_not_reach_the_terminal(tmp_path):
    graph = {"nodes": [{"op": "null", "name": "a\x1b[2J", "inputs": []}], "heads": [[0, 0, 0]]}
    (tmp_path / "a.json").write_text(json.dumps(graph))
    shown = unified_blocks("inspect", tmp_path / "a.json").stdout
    assert "\x1b" not in shown
    assert "\\x1b[2J" in shown


def test_numbers_in_a_file_whose_first_byte_is_that_of_json(tmp_path):
    """A safetensors file begins with the length of its header, which can be any."""
    path, length = tmp_path / "a.safetensors", ord("{")
    header = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}})
    content = length.to_bytes(8, "little") + header.ljust(length).encode() + numbers(2).tobytes()
    path.write_bytes(content)
    assert json.loads(unified_blocks("inspect", "--json", path).stdout)["format"] == "safetensors"


def test_a_graph_that_mxnet_exports(tmp_path):
    if "mxnet" not in ub.available_backends():
        pytest.skip("mxnet is not installed")
    from unified_blocks_mxnet.compat import mx, nn

    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3), nn.BatchNorm(scale=False), nn.PReLU(), nn.LayerNorm(), nn.Dense(2))
    net.initialize()
    net.hybridize()
    net(mx.nd.ones((1, 3, 8, 8)))
    net.export(str(tmp_path / "net"))
    graph, saved = told(tmp_path / "net-symbol.json"), mx.nd.load(str(tmp_path / "net-0000.params"))
    assert [each["name"] for each in graph["inputs"]] == ["data"]
    assert graph["version"] == "1.9.1"
    roles = {"parameter": "arg", "constant": "aux"}
    assert {f"{roles[each['role']]}:{each['name']}" for each in graph["arrays"]} == set(saved)
    options = {each["operator"]: each["options"] for each in graph["operators"]}
    assert options["BatchNorm"]["fix_gamma"] == {"True": 1}
    assert options["LayerNorm"]["eps"] == {"1e-05": 1}


def test_numbers_beside_a_graph_are_inspected_as_before(tmp_path):
    path = tmp_path / "net-0000.params"
    path.write_bytes(params(array(numbers(3)), names=["arg:bn0_gamma"]))
    (tmp_path / "net-symbol.json").write_text(json.dumps(network("1.0")))
    shown = unified_blocks("inspect", path).stdout
    assert "mxnet-params, 1 arrays" in shown
    assert "fix_gamma" in shown


def test_a_graph_given_for_its_numbers_is_an_error_that_names_them(path):
    with pytest.raises(FileFormatError, match=r"give the numbers of this graph, the \.params file"):
        ub.read_state(path)
