"""What PyTorch saves is read as PyTorch loads it, and what is written PyTorch loads."""

from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.hostile import EACH_SEED, every_truncation, measured, mutated
from testbed.torch_files import DTYPES, some, stored
from unified_blocks.errors import FileFormatError
from unified_blocks.formats.pytorch import archive as torch_pt
from unified_blocks.formats.pytorch.tensors import UNTYPED

torch = pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.pt"


def assert_same(found, loaded):
    """`found` holds exactly what PyTorch has loaded."""
    assert list(found) == list(loaded)
    for name, tensor in loaded.items():
        expected = tensor.detach()
        expected = (expected.float() if expected.dtype == torch.bfloat16 else expected).numpy()
        assert found.tensors[name].shape == found[name].shape == expected.shape
        assert found.tensors[name].dtype == found[name].dtype == expected.dtype
        assert found[name].tobytes() == expected.tobytes(), name


def tensors_of_every_kind():
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    made = {name: torch.from_numpy(some(name)) for name in DTYPES}
    return made | {
        "bfloat16": torch.randn(5, 3).bfloat16(),
        "bfloat16.transposed": torch.randn(5, 3).bfloat16().T,
        "transposed": base.T,
        "sliced": base[1:, ::2],
        "tail": base[2:],
        "expanded": torch.ones(3, 1).expand(3, 4),
        "scalar": torch.tensor(3.5),
        "of.none": torch.zeros(0, 3),
        "parameter": torch.nn.Parameter(base.clone()),
        "frozen": torch.nn.Parameter(base.clone().double(), requires_grad=False),
    }


@pytest.mark.parametrize("zipped", [True, False])
def test_every_kind_of_tensor(path, zipped):
    made = OrderedDict(tensors_of_every_kind())
    if not zipped:  # PyTorch cannot load these from its old files itself
        made = {k: v for k, v in made.items() if k not in UNTYPED}
    torch.save(made, path, _use_new_zipfile_serialization=zipped)
    found = torch_pt.read(path)
    assert_same(found, torch.load(path, weights_only=True))
    assert found.tensors["parameter"].role == "parameter"
    assert found.tensors["scalar"].role is None
    assert found.tensors["bfloat16"].stored_dtype == "bfloat16"


@pytest.mark.parametrize("zipped", [True, False])
def test_state_dicts_of_models(path, zipped):
    nn = torch.nn
    net = nn.Sequential(
        nn.Embedding(7, 4), nn.Conv1d(3, 4, 2), nn.BatchNorm1d(4), nn.LSTM(4, 5, 2), nn.Linear(5, 2)
    )
    torch.save(net.state_dict(), path, _use_new_zipfile_serialization=zipped)
    assert_same(torch_pt.read(path), torch.load(path, weights_only=True))


def test_tied_weights(path):
    net = torch.nn.Sequential(torch.nn.Embedding(6, 4), torch.nn.Linear(4, 6, bias=False))
    net[1].weight = net[0].weight
    torch.save(net.state_dict(), path)
    assert_same(torch_pt.read(path), net.state_dict())


def test_a_big_state_dict(path):
    made = {f"blocks.{i}.weight": torch.randn(512, 512) for i in range(40)}
    torch.save(made, path)
    assert_same(torch_pt.read(path), made)


@pytest.mark.parametrize("wrapper", ["state_dict", "model", "model_state_dict"])
def test_a_checkpoint(path, wrapper):
    net = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.25)
    net(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    checkpoint = {wrapper: net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}
    torch.save(checkpoint, path)
    found = torch_pt.read(path)
    roles = {name: known.role for name, known in found.tensors.items()}
    assert [name for name, role in roles.items() if role is None] == ["weight", "bias"]
    assert roles["optimizer.state.0.exp_avg"] == "optimizer"
    assert found["weight"].tobytes() == net.weight.detach().numpy().tobytes()
    assert found.metadata["epoch"] == 3
    assert found.metadata["optimizer.param_groups.0.lr"] == 0.25
    assert found.metadata["optimizer.param_groups.0.params"] == [0, 1]


def test_two_wrappers_are_dotted_names(path):
    torch.save({"model": {"a": torch.ones(1)}, "state_dict": {"a": torch.zeros(1)}}, path)
    assert list(torch_pt.read(path)) == ["model.a", "state_dict.a"]


def test_a_whole_model(path):
    torch.save(torch.nn.Linear(2, 2), path)
    with pytest.raises(
        FileFormatError, match=r"Linear.*torch\.save\(model\.state_dict\(\), path\)"
    ):
        torch_pt.read(path)


def test_a_program(path):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript itself is deprecated
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)
    with pytest.raises(FileFormatError, match="got a TorchScript program"):
        torch_pt.read(path)


@pytest.mark.parametrize("make", ["conj", "sparse", "float8", "size", "tuple_key"])
def test_what_has_no_array_is_refused(path, make):
    value = {
        "conj": lambda: torch.ones(2, dtype=torch.complex64).conj(),
        "sparse": lambda: torch.eye(2).to_sparse(),
        "float8": lambda: torch.ones(2).to(torch.float8_e4m3fn),
        "size": lambda: torch.Size([2]),
        "tuple_key": lambda: {(1, 2): torch.ones(1)},
    }[make]()
    torch.save({"x": value}, path)
    with pytest.raises(FileFormatError):
        torch_pt.read(path)


@pytest.mark.parametrize("mmap", [False, True])
def test_torch_loads_what_is_written(path, mmap):
    arrays = {
        f"{name}.{len(shape)}": some(name, shape) for name in DTYPES for shape in ((3, 2), ())
    }
    arrays |= {"none": some("float32", (0, 4)), "transposed": some("float32", (3, 5)).T}
    torch_pt.write(path, [stored(n, a) for n, a in arrays.items()], {"note": 1})
    loaded = torch.load(path, weights_only=True, mmap=mmap)
    assert type(loaded) is OrderedDict
    assert list(loaded) == list(arrays)
    for name, array in arrays.items():
        assert loaded[name].numpy().dtype == array.dtype
        assert loaded[name].shape == array.shape
        assert loaded[name].numpy().tobytes() == array.tobytes()


def test_a_model_loads_what_is_written(path):
    nn = torch.nn
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    again = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    arrays = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    torch_pt.write(path, [stored(n, a) for n, a in arrays.items()], {})
    again.load_state_dict(torch.load(path, weights_only=True))
    for name, tensor in again.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), arrays[name])


@pytest.fixture(params=[True, False], ids=["zip", "legacy"])
def small(request, path):
    net = torch.nn.Linear(3, 2)
    torch.save(net.state_dict(), path, _use_new_zipfile_serialization=request.param)
    return path.read_bytes()


def test_every_truncation_of_a_file_of_torch_is_refused(path, small):
    assert every_truncation(torch_pt, path, small) == 0


@EACH_SEED
@given(seed=st.integers(0, 2**32))
def test_a_mutated_file_of_torch_is_refused_or_read(path, small, seed):
    path.write_bytes(mutated(small, seed))
    measured(torch_pt, path)


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_other_protocols_of_pickle(path, protocol):
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    torch.save(net.state_dict(), path, pickle_protocol=protocol)
    found = torch_pt.read(path)
    assert list(found) == list(net.state_dict())
    for name, values in net.state_dict().items():
        assert found[name].tobytes() == values.numpy().tobytes()


@pytest.mark.parametrize("crc", [True, False])
def test_checksums_of_torch(path, crc):
    if not hasattr(torch.serialization, "set_crc32_options"):
        pytest.skip("this PyTorch always computes them")
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(crc)
    try:
        torch.save({"x": torch.arange(6.0)}, path)
    finally:
        torch.serialization.set_crc32_options(before)
    found = torch_pt.read(path)
    found.tensors["x"].verify()
    assert found["x"].tolist() == [0, 1, 2, 3, 4, 5]
