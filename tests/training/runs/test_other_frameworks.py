"""A training that began on one framework goes on on another."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.killed_run import CutError, Seen, network, problem, train

OPTIMIZERS = {
    "adam": ub.Adam(0.01, weight_decay=0.01),
    "adamw": ub.AdamW(0.01, weight_decay=0.05),
    "momentum": ub.SGD(0.1, momentum=0.9),
    "nesterov": ub.SGD(0.1, momentum=0.9, nesterov=True),
    "rmsprop": ub.RMSprop(0.01),
    "adagrad": ub.Adagrad(0.1),
}
MIDDLE = {"every": 2, "data": problem("float64")}


def net_on(backend_name, seed=5):
    """It drops nothing: each framework draws other numbers."""
    with ub.use_backend(backend_name):
        return network(seed, "float64", rate=0.0)


@pytest.mark.parametrize("seen", [Seen(update=9), Seen(epoch=2)], ids=["update", "epoch"])
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_the_numbers_are_those_of_one_framework(tmp_path, backend_name, kind, seen):
    options = {"optimizer": OPTIMIZERS[kind], **MIDDLE}
    wanted = train(tmp_path / "whole", net=net_on(backend_name), **options)
    names = [name for name in ub.available_backends() if name != backend_name]
    for name in names:
        with pytest.raises(CutError):
            train(tmp_path / name, net=net_on(backend_name), seen=seen, **options)
        found = train(tmp_path / name, net=net_on(name, seed=77), **options)
        # MXNet's Adam is not exact.
        inexact = kind in ("adam", "adamw") and "mxnet" in (name, backend_name)
        assert found.keys() == wanted.keys()
        for key, array in wanted.items():
            rtol, atol = (1e-6, 1e-8) if inexact else (1e-11, 1e-13)
            np.testing.assert_allclose(found[key], array, rtol, atol, err_msg=key)


def test_there_and_back_again(tmp_path, backend_name):
    """The order of the batches and the history are the same, wherever it goes on."""
    names = [n for n in ub.available_backends() if n != backend_name] + [backend_name]
    for epochs, name in enumerate(names, start=1):
        seen = Seen()
        found = train(tmp_path, net=net_on(name, seed=epochs), seen=seen, epochs=epochs, **MIDDLE)
        assert seen.updates == list(range(6 * epochs - 5, 6 * epochs + 1))
    wanted = train(tmp_path / "whole", net=net_on(backend_name, 1), epochs=len(names), **MIDDLE)
    for key, array in wanted.items():
        np.testing.assert_allclose(found[key], array, 1e-11, 1e-13, err_msg=key)
