"""What must be the same when a training goes on, and what it is called in a checkpoint."""

import functools
import json

import numpy as np
import pytest

import unified_blocks as ub
from testbed.killed_run import network, problem, same, train
from unified_blocks.formats import safetensors
from unified_blocks.training.runs.state import name_of

pytestmark = pytest.mark.usefixtures("backend_name")
FILE = "checkpoint.safetensors"
W = np.linspace(0.5, 1.5, 44)
GROUPS = [ub.ParameterGroup("*bias", learning_rate=0.5)]
OTHER = {
    "clip None, not Clip": ({}, {"clip": ub.Clip(norm=1.0)}),
    r"clip Clip\(.*norm=1.0.*, not Clip\(.*norm=2.0": (
        {"clip": ub.Clip(norm=1.0)},
        {"clip": ub.Clip(norm=2.0)},
    ),
    r"groups \[\], not \[.ParameterGroup\(pattern='\*bias'": ({}, {"groups": GROUPS}),
    "weighted False, not True": ({}, {"sample_weight": W}),
    "weighted True, not False": ({"class_weight": {0: 2.0}}, {}),
}


@pytest.mark.parametrize("words", OTHER)
def test_other_settings_are_an_error(tmp_path, words):
    first, then = OTHER[words]
    train(tmp_path, epochs=1, **first)
    same(train(tmp_path, epochs=2, **first), train(tmp_path, epochs=2, **first))
    with pytest.raises(ub.StateMismatchError, match=words):
        train(tmp_path, epochs=3, **then)


@pytest.mark.capability("mixed-precision-training")
def test_another_precision_is_an_error(tmp_path, backend_name):
    dtype = "mixed_bfloat16" if backend_name == "tensorflow" else "float32"
    train(tmp_path, epochs=1, net=network(dtype=dtype))
    with pytest.raises(ub.StateMismatchError, match="precision None, not bfloat16"):
        train(tmp_path, epochs=2, net=network(dtype=dtype), precision="bfloat16")


def test_what_an_old_checkpoint_does_not_say_is_as_it_is_now(tmp_path):
    train(tmp_path, epochs=1, clip=ub.Clip(norm=1.0))
    file = tmp_path / FILE
    stored = safetensors.read(file)
    own = dict(stored.own)
    for name in ("clip", "groups", "precision", "weighted"):
        del own["run"]["settings"][name]
    own.pop("tensors")
    safetensors.write(tmp_path / "new", list(stored.tensors.values()), own)
    (tmp_path / "new").replace(file)
    train(tmp_path, epochs=2, clip=ub.Clip(norm=1.0))
    with pytest.raises(ub.StateMismatchError, match=r"momentum 0\.9, not 0\.8"):
        train(tmp_path, epochs=3, clip=ub.Clip(norm=1.0), optimizer=ub.SGD(0.1, momentum=0.8))


def half(output, y, *, factor=0.5):
    return factor * ub.ops.cross_entropy(output, y)


class Loss:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, output, y):
        return half(output, y, factor=self.factor)


def test_a_training_with_a_partial_loss_goes_on(tmp_path):
    def loss(factor=0.25):
        return functools.partial(half, factor=factor)

    whole = train(tmp_path / "whole", epochs=2, loss=loss())
    train(tmp_path / "cut", epochs=1, loss=loss())
    same(train(tmp_path / "cut", epochs=2, loss=loss()), whole)
    with pytest.raises(ub.StateMismatchError, match=r"half\(factor=0\.25\), not half\(factor=0\.5"):
        train(tmp_path / "cut", epochs=3, loss=loss(0.5))


def test_a_training_with_an_object_for_a_loss_goes_on(tmp_path):
    whole = train(tmp_path / "whole", epochs=2, loss=Loss(0.25))
    train(tmp_path / "cut", epochs=1, loss=Loss(0.25))
    same(train(tmp_path / "cut", epochs=2, loss=Loss(0.25)), whole)


def test_names_of_functions():
    assert name_of("mse") == "mse"
    assert name_of(half) == "half"
    assert name_of(Loss(1)) == name_of(Loss(2)) == "Loss()"
    assert name_of(functools.partial(half, factor=0.5)) == "half(factor=0.5)"
    twice = functools.partial(functools.partial(half, b=[1, "c"]), a=(half, Loss(1), None))
    assert name_of(twice) == "half(b=[1, 'c'], a=(half, Loss(), None))"
    array = functools.partial(half, factor=np.arange(3.0))
    assert name_of(array) == "half(factor=float64[3])"
    assert name_of(functools.partial(half, factor=np.float32(0.5))) == "half(factor=0.5)"
    assert name_of(Loss(1).__call__) == "Loss.__call__"


def test_validation_that_was_added_is_of_its_own_epochs(tmp_path):
    data = problem()
    train(tmp_path, epochs=2)
    added = {"validation": data, "metrics": []}
    found = train(tmp_path, epochs=4, **added)
    losses = found["history.validation_loss"]
    assert np.isnan(losses).tolist() == [True, True, False, False]
    train(tmp_path / "all", epochs=2, validation=data)
    whole = train(tmp_path / "all", epochs=4, validation=data)
    np.testing.assert_array_equal(losses[2:], whole["history.validation_loss"][2:])
    history = ub.History(loss=[0.0] * 4, validation_loss=losses.tolist())
    assert history.best()[0] in (3, 4)


def test_validation_that_was_left_out_has_no_numbers(tmp_path):
    data, options = problem(), {"metrics": ["accuracy"]}
    train(tmp_path, epochs=2, validation=data, **options)
    train(tmp_path, epochs=3, **options)  # which is kept in the file, too
    found = train(tmp_path, epochs=4, validation=data, **options)
    for name in ("validation_loss", "validation_accuracy"):
        assert np.isnan(found[f"history.{name}"]).tolist() == [False, False, True, False]
    assert not np.isnan(found["history.accuracy"]).any()


NUMPYS = {
    "every": {"every": np.int64(3)},
    "seed": {"seed": np.int64(3)},
    "batch_size": {"batch_size": np.int64(8)},
    "epochs": {"epochs": np.int32(2)},
    "accumulate": {"accumulate": np.int64(2)},
    "average": {"average": np.float32(0.5)},
    "optimizer": {"optimizer": ub.SGD(np.float32(0.125), np.float64(0.5), np.bool_(True))},
    "clip": {"clip": ub.Clip(norm=np.float32(0.5))},
    "groups": {"groups": [ub.ParameterGroup("*bias", learning_rate=np.float32(0.5))]},
    "callback": {
        "callbacks": [ub.ReduceOnPlateau("loss", np.float32(0.5), np.int64(1), np.float32(9))]
    },
}


@pytest.mark.parametrize("name", NUMPYS)
def test_numbers_of_numpy_are_numbers(tmp_path, name):
    """They are taken, kept and gone on with as Python's own."""

    def own(value):
        if isinstance(value, np.generic):
            return value.item()
        return value

    given = {"epochs": 2, **NUMPYS[name]}
    python = {key: own(value) for key, value in given.items()}
    found, wanted = train(tmp_path / "numpy", **given), train(tmp_path / "python", **python)
    same(found, wanted)
    settings = [
        safetensors.read(tmp_path / kind / FILE).own["run"]["settings"]
        for kind in ("numpy", "python")
    ]
    assert settings[0] == settings[1]
    json.dumps(settings)
    train(tmp_path / "numpy", **{**given, "epochs": 3})
