"""A checkpoint of another training, or a damaged one, is an error, and nothing is changed by it."""

import os
from pathlib import Path

import pytest

import unified_blocks as ub
from testbed.killed_run import Seen, frozen, network, problem, same, train
from unified_blocks.formats import safetensors

pytestmark = pytest.mark.usefixtures("backend_name")
FILE = "checkpoint.safetensors"


def wider():
    net = ub.MySequential(
        ub.Dense(9, activation="tanh", in_units=6), ub.Dropout(0.25), ub.Dense(4, in_units=9)
    )
    return ub.initialize(net, 1)


def longer():
    net = network()
    net.add(ub.Dense(4, in_units=4))
    return net


OTHER = {
    "optimizer SGD, not Adam": {"optimizer": ub.Adam()},
    "momentum 0.9, not 0.8": {"optimizer": ub.SGD(0.1, momentum=0.8)},
    "batch_size 8, not 16": {"batch_size": 16},
    "seed 3, not 4": {"seed": 4},
    "samples 44, not 20": {"data": tuple(part[:20] for part in problem())},
    r"frozen \[\], not \['0.bias'\]": {"net": lambda: frozen(network(), "0.bias")},
    r"0.weight of shape \(16, 6\), not \(9, 6\)": {"net": wider},
    "0.weight of dtype float32, not float64": {"net": lambda: network(dtype="float64")},
    "no 3.weight, no 3.bias": {"net": longer},
    "loss cross_entropy, not function_of_a_test": {"loss": "a function"},
}


def function_of_a_test(output, y):
    return ub.ops.cross_entropy(output, y)


@pytest.mark.parametrize("words", OTHER)
def test_another_training(tmp_path, words):
    train(tmp_path, epochs=2)
    before = (tmp_path / FILE).read_bytes()
    changes = {**OTHER[words]}
    if callable(net := changes.get("net")):
        changes["net"] = net()
    if changes.get("loss") == "a function":
        changes["loss"] = function_of_a_test
    net = changes.setdefault("net", network(seed=77))
    start, seen = ub.state(net), Seen()
    rule = "fit: a training must go on as it began, and nothing was loaded; in the checkpoint is "
    with pytest.raises(ub.StateMismatchError, match=f"{rule}.*{words}.*: give another folder"):
        train(tmp_path, seen=seen, **{"epochs": 3, **changes})
    assert seen.updates == []
    same(ub.state(net), start)
    assert (tmp_path / FILE).read_bytes() == before


def test_all_that_differs_is_named(tmp_path):
    train(tmp_path, epochs=1)
    with pytest.raises(ub.StateMismatchError, match=r"momentum 0\.9, not 0\.8, .*seed 3, not 4"):
        train(tmp_path, seed=4, optimizer=ub.SGD(0.1, momentum=0.8))


class Keeps(ub.Callback):
    def state(self):
        return {"number": 1}


class KeepsAll(ub.Callback):
    def state(self):
        return {"odd": {1, 2}}


def test_a_callback_that_is_no_more(tmp_path):
    train(tmp_path, epochs=1, callbacks=[Keeps()])
    with pytest.raises(ub.StateMismatchError, match="what a Keeps keeps, and no such callback"):
        train(tmp_path, epochs=2)
    train(tmp_path, epochs=2, callbacks=[Keeps(), Keeps()])  # one more begins anew


def test_what_a_file_cannot_keep(tmp_path):
    with pytest.raises(ub.UnsupportedError, match=r"got a set for callback\.1\.0"):
        train(tmp_path, epochs=1, callbacks=[KeepsAll()])
    assert not (tmp_path / FILE).exists()


def test_a_model_that_a_file_cannot_keep(tmp_path, backend_name):
    """It is an error at once, and not after the first epoch."""
    if backend_name == "mxnet":
        pytest.skip("MXNet has no bfloat16")
    net, seen = ub.cast(network(), "bfloat16"), Seen()
    with pytest.raises(ub.UnsupportedError, match="NumPy has no dtype bfloat16"):
        train(tmp_path, net=net, seen=seen)
    assert seen.updates == []


def test_names_that_clash(tmp_path, backend_name):
    if backend_name != "torch":
        pytest.skip("a native model with such a name is easily made in PyTorch only")
    import torch
    from torch import nn

    net = nn.Sequential()
    net.add_module("run", nn.Linear(6, 4))
    net.run.losses = nn.Parameter(torch.zeros(2))
    with pytest.raises(ub.UnsupportedError, match=r"got run\.losses of both: give that layer"):
        train(tmp_path, epochs=1, net=net)
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("damage", ["cut", "number", "text", "empty", "other", "later"])
def test_a_damaged_file(tmp_path, damage):
    train(tmp_path, epochs=2)
    file = tmp_path / FILE
    data = bytearray(file.read_bytes())
    if damage == "cut":
        data = data[:-5]
    elif damage == "number":
        data[-3] ^= 1
    elif damage == "text":
        at = data.index(b"update_in_epoch")
        data[at] ^= 1
    elif damage == "empty":
        data = b""
    elif damage == "other":
        ub.save(network(), file)
        data = file.read_bytes()
    file.write_bytes(data)
    if damage == "later":
        own = dict(safetensors.read(file).own)
        own["run"]["version"] = 2
        own.pop("tensors")
        tensors = list(safetensors.read(file).tensors.values())
        safetensors.write(tmp_path / "new", tensors, own)
        (tmp_path / "new").replace(file)
    net, words = network(seed=77), {"other": "got one without a training", "later": "got 2"}
    start, seen, before = ub.state(net), Seen(), file.read_bytes()
    with pytest.raises(ub.FileFormatError, match=words.get(damage, "damaged|safetensors")):
        train(tmp_path, seen=seen, net=net)
    assert seen.updates == []
    same(ub.state(net), start)
    assert file.read_bytes() == before


@pytest.mark.parametrize("every", ["update", "epochs", 0, -1, 2.5, True, None])
def test_every(every):
    with pytest.raises(ValueError, match='every must be "epoch" or a number of updates'):
        ub.Checkpoint("run", every)


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(NotADirectoryError, match="folder must be a folder; got the file"):
        train(tmp_path / "run")
    assert (tmp_path / "run").read_text() == "mine"


@pytest.mark.parametrize("moment", ["fsync", "replace", "write"])
def test_a_save_that_fails_leaves_the_old_file(tmp_path, moment, monkeypatch):
    """At each moment of a save: the file is the one before, and the training goes on from it."""
    wanted = train(tmp_path / "whole", every=2)

    def fails(*given, **more):
        raise OSError("no space left")

    class Fails(ub.Callback):
        def step(self, run):
            if run.updates == 10:
                if moment == "fsync":
                    monkeypatch.setattr(os, "fsync", fails)
                elif moment == "replace":
                    monkeypatch.setattr(Path, "replace", fails)
                else:
                    monkeypatch.setattr(safetensors, "_little_endian", fails)

    with pytest.raises(OSError, match="no space left"):
        train(tmp_path / "cut", every=2, callbacks=[Fails()])
    monkeypatch.undo()
    assert [p.name for p in (tmp_path / "cut").iterdir()] == [FILE]
    run = safetensors.read(tmp_path / "cut" / FILE).own["run"]
    assert run["updates"] == 8
    same(train(tmp_path / "cut", every=2, net=network(seed=7)), wanted)
