"""What `ub.read_state` gives is read as cheaply as a view of the file, and can be used."""

import subprocess
import sys
import zipfile

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.memory import allocated
from testbed.params_files import zipped
from unified_blocks.formats import formats

WIDTH = 512
ARRAY = 4 * WIDTH * WIDTH
"""Bytes of the largest array: more than Python's own objects take here."""
STATE = {
    "hidden.weight": normal(WIDTH, WIDTH, seed=1),
    "hidden.bias": normal(WIDTH, seed=2),
    "out.weight": normal(3, WIDTH, seed=3),
    "out.bias": normal(3, seed=4),
}
KINDS = {"hidden": "Dense", "out": "Dense"}


def written(suffix):
    """Write the state as this library does."""

    def write(folder):
        path = folder / f"net{suffix}"
        ub.write_state(STATE, path, kinds=KINDS if suffix == ".weights.h5" else None)
        return path

    return write


def checkpoint(folder):
    """A block, by `ub.save`."""
    path = folder / "net.safetensors"
    ub.save(ub.load_state(ub.MLP(WIDTH, 3), STATE), path)
    return path


def unaligned(folder):
    """A safetensors file of others, whose arrays begin at odd places."""
    pytest.importorskip("safetensors")
    from safetensors.numpy import save

    path = folder / "net.safetensors"
    content = save({**STATE, "a": np.zeros(3, "uint8")})
    length = int.from_bytes(content[:8], "little")
    header = content[8 : 8 + length] + b" "  # one byte more moves all
    path.write_bytes((length + 1).to_bytes(8, "little") + header + content[8 + length :])
    return path


def packed(write):
    """A zip file of another writer: its members compressed."""

    def pack(folder):
        path = write(folder)
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return path

    return pack


def npz(compression=zipfile.ZIP_STORED, order="<"):
    """A file of MXNet 2.0."""

    def write(folder):
        path = folder / "net.params"
        arrays = {name: array.astype(f"{order}f4") for name, array in STATE.items()}
        path.write_bytes(zipped(arrays, compression))
        return path

    return write


def of_torch(**options):
    """What PyTorch writes."""

    def write(folder):
        torch = pytest.importorskip("torch")
        path = folder / "net.pt"
        torch.save({name: torch.tensor(array) for name, array in STATE.items()}, path, **options)
        return path

    return write


def of_keras(folder):
    """What Keras writes."""
    keras = pytest.importorskip("keras")
    net = keras.Sequential([keras.layers.Dense(WIDTH, name="hidden"), keras.layers.Dense(3)])
    net.build((None, WIDTH))
    net.save(folder / "net.keras")
    return folder / "net.keras"


def stored(write, remainder):
    """A plain zip whose weights begin `remainder` bytes after a multiple of 64.

    Where they begin in a file of Keras follows from the length of its configuration, so from how
    many layers the process has named before.
    """

    def store(folder):
        path = write(folder)
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        weights = members.pop("model.weights.h5")
        headers = 2 * 30 + len("filler") + len("model.weights.h5")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("filler", bytes((remainder - headers) % 64))
            archive.writestr("model.weights.h5", weights)
            for name, content in members.items():
                archive.writestr(name, content)
        return path

    return store


VIEWS = {
    ".safetensors": written(".safetensors"),
    "ub.save": checkpoint,
    ".pt": written(".pt"),
    ".pt of PyTorch": of_torch(),
    ".pt before 1.6": of_torch(_use_new_zipfile_serialization=False),
    ".params": written(".params"),
    ".weights.h5": written(".weights.h5"),
    ".keras, aligned": stored(of_keras, 0),
}
"""Files whose bytes can be used as they are."""
MOVED = {
    ".safetensors, unaligned": unaligned,
    ".pt, packed": packed(written(".pt")),
    ".params of 2.0": npz(),
    ".params of 2.0, packed": npz(zipfile.ZIP_DEFLATED),
    ".params of 2.0, swapped": npz(order=">"),
    ".keras": stored(of_keras, 1),
    ".keras, packed": packed(of_keras),
}
"""Files whose bytes have to be changed or moved: in a plain zip they begin anywhere."""
FILES = {**VIEWS, **MOVED}


def opened(name, folder):
    """The path of such a file; skipped where it cannot be written."""
    if name == "ub.save" and not ub.available_backends():
        pytest.skip("a block is of a framework")
    if "h5" in name or "keras" in name:
        pytest.importorskip("h5py")
    return FILES[name](folder)


@pytest.mark.parametrize("name", FILES)
def test_an_array_can_be_written_to_and_the_file_stays(tmp_path, name):
    path = opened(name, tmp_path)
    before, state, again = path.read_bytes(), ub.read_state(path), ub.read_state(path)
    for key in state:
        array = state[key]
        assert array.flags.aligned
        assert array.dtype.isnative
        expected = array.copy()
        array += 1
        np.testing.assert_array_equal(array, expected + 1)
        np.testing.assert_array_equal(again[key], expected)
    assert path.read_bytes() == before
    np.testing.assert_array_equal(ub.read_state(path)[key], expected)


@pytest.mark.parametrize("name", VIEWS)
def test_reading_copies_nothing(tmp_path, name):
    path = opened(name, tmp_path)

    arrays, found = allocated(ARRAY, lambda: list(ub.read_state(path).values()))
    assert arrays == 0
    assert not any(array.flags.owndata for array in found)


@pytest.mark.parametrize("name", MOVED)
def test_what_is_moved_is_copied_as_rarely_as_can_be(tmp_path, name):
    path = opened(name, tmp_path)
    arrays, _ = allocated(ARRAY, lambda: list(ub.read_state(path).values()))
    assert 1 <= arrays <= 3  # an inflated one is made once, and once more to be written to


TRAINED = """
import sys, torch, unified_blocks as ub

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = torch.nn.Linear(512, 512), torch.nn.Linear(512, 3)

    def forward(self, X):
        return self.out(torch.relu(self.hidden(X)))

for path in sys.argv[1:]:
    net = Net()
    arrays = zip(net.state_dict(), ub.read_state(path).values())  # Keras names some otherwise
    net.load_state_dict({name: torch.from_numpy(array) for name, array in arrays}, assign=True)
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    net(torch.ones(1, 512)).sum().backward()
    optimizer.step()
    print("trained")
"""


def test_what_is_read_can_be_assigned_to_a_module_and_trained(tmp_path):
    pytest.importorskip("torch")
    paths = []
    for number, name in enumerate(FILES):
        (folder := tmp_path / str(number)).mkdir()
        if "unaligned" not in name and not name.startswith(".keras"):
            paths.append(opened(name, folder))
    before = [path.read_bytes() for path in paths]
    command = [sys.executable, "-W", "error", "-c", TRAINED, *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ["trained"] * len(paths)
    assert [path.read_bytes() for path in paths] == before


def test_every_format_is_among_these():
    for module in formats():
        assert any(name.startswith(suffix) for suffix in module.SUFFIXES for name in FILES), module
