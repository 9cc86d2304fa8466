"""A training on a loader goes on within an epoch: with the batches that the loader would give."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.killed_run import CutError, Seen, network, problem, result, same

BATCH = 8


def torch_loader():
    import torch

    x, y = (torch.from_numpy(part) for part in problem())
    data = torch.utils.data.TensorDataset(x, y)
    return torch.utils.data.DataLoader(data, batch_size=BATCH, shuffle=True)


def tensorflow_loader():
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices(problem())
    return data.shuffle(44, seed=3, reshuffle_each_iteration=False).batch(BATCH)


def gluon_loader():
    ub.get_backend("mxnet")  # which makes it importable with this NumPy
    import mxnet as mx

    return mx.gluon.data.DataLoader(
        mx.gluon.data.ArrayDataset(*problem()), batch_size=BATCH, shuffle=True
    )


def function():
    x, y = problem()
    return lambda: ((x[i : i + BATCH], y[i : i + BATCH]) for i in range(0, 44, BATCH))


LOADERS = {"torch": torch_loader, "tensorflow": tensorflow_loader, "mxnet": gluon_loader}


def train(folder, loader, net, seen, every):
    history = ub.fit(
        net,
        loader,
        loss="cross_entropy",
        optimizer=ub.Adam(0.01),
        epochs=3,
        seed=3,
        callbacks=[seen],
        checkpoint=ub.Checkpoint(folder, every),
    )
    return result(net, seen.trainer, history)


def cut(folder, make, **where):
    with pytest.raises(CutError):
        train(folder, make(), network(), Seen(**where), 2)
    return train(folder, make(), network(seed=77), Seen(), 2)


@pytest.mark.parametrize("kind", [*LOADERS, "function"])
def test_it_goes_on(tmp_path, backend_name, kind):
    if kind in LOADERS and kind not in ub.available_backends():
        pytest.skip(f"a loader of {kind}")
    make = LOADERS.get(kind, function)
    wanted = train(tmp_path / "whole", make(), network(), Seen(), 2)
    np.random.seed(99)  # what happens elsewhere does not matter
    same(cut(tmp_path / "cut", make, update=9), wanted)
