"""What people write without thinking is understood, or the error names what is meant."""

import importlib

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.learning import classifier, problem
from unified_blocks.training.losses import LOSSES
from unified_blocks.training.words import check_count, loss_meant, optimizer_meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("adam", ub.Adam()),
        ("Adam", ub.Adam()),
        ("AdamW", ub.AdamW()),
        ("RMSProp", ub.RMSprop()),
        ("adagrad", ub.Adagrad()),
        (ub.SGD(0.5), ub.SGD(0.5)),
    ],
)
def test_optimizers_by_name(written, meant):
    assert optimizer_meant(written) == meant


@pytest.mark.parametrize(
    ("written", "nearest"),
    [
        ("sgd", r"ub\.SGD\(0\.01\)"),
        ("SGD", r"ub\.SGD\(0\.01\)"),
        ("Nadam", r"ub\.Adam\(\)"),
        ("adamm", r"ub\.Adam\(\)"),
        ("rms_prop2", r"ub\.RMSprop\(\)"),
        ("nag", r"ub\.SGD\(0\.01\)"),
        ("quickly", r"ub\.Adam\(\)"),
    ],
)
def test_other_names_are_errors_that_name_the_nearest(written, nearest):
    with pytest.raises(ValueError, match=rf"got .*: write {nearest}$"):
        optimizer_meant(written)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (ub.RMSprop, r"got the class unified_blocks.*RMSprop: write ub\.RMSprop\(\)"),
        (None, r"got None: write ub\.Adam\(\)"),
        (0.1, r"got 0\.1: write ub\.Adam\(\)"),
    ],
)
def test_what_is_no_optimizer(written, words):
    with pytest.raises(TypeError, match=words):
        optimizer_meant(written)


NATIVE = {
    "torch": ("torch.optim", "AdamW", "torch.nn", "CrossEntropyLoss"),
    "tensorflow": ("keras.optimizers", "Nadam", "keras.losses", "SparseCategoricalCrossentropy"),
    "mxnet": ("mxnet.optimizer", "RMSProp", "mxnet.gluon.loss", "SoftmaxCrossEntropyLoss"),
}


def test_classes_of_the_framework_are_errors_that_name_ours(backend_name):
    optimizers, optimizer, losses, loss = NATIVE[backend_name]
    kind = getattr(importlib.import_module(optimizers), optimizer)
    ours = {"Nadam": "Adam", "RMSProp": "RMSprop"}.get(optimizer, optimizer)
    with pytest.raises(TypeError, match=rf"got the class .*{optimizer}: write ub\.{ours}\(\)"):
        optimizer_meant(kind)
    if backend_name != "torch":  # whose optimizers are made of parameters
        with pytest.raises(TypeError, match=rf"an object of .*{optimizer}: write ub\.{ours}\(\)"):
            optimizer_meant(kind())
    kind = getattr(importlib.import_module(losses), loss)
    with pytest.raises(TypeError, match=rf"got the class .*{loss}: write loss='cross_entropy'"):
        loss_meant(kind)


def test_objects_of_the_framework_that_are_losses(backend_name):
    """Those of PyTorch take what we give; the others' arguments or values are other ones."""
    _, _, losses, loss = NATIVE[backend_name]
    given = getattr(importlib.import_module(losses), loss)()
    options = {"optimizer": ub.SGD(0.1), "batch_size": 16, "epochs": 2}
    if backend_name == "torch":
        found = ub.fit(classifier(), *problem(), loss=given, **options)
        wanted = ub.fit(classifier(), *problem(), loss="cross_entropy", **options)
        np.testing.assert_allclose(found.loss, wanted.loss, rtol=1e-12)
        return
    with pytest.raises(TypeError, match=rf"gives a scalar; got {loss} of .*loss='cross_entropy'"):
        ub.fit(classifier(), *problem(), loss=given, **options)


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        (
            "cross_entropy crossentropy CrossEntropy ce sparse_categorical_crossentropy "
            "categorical_crossentropy SparseCategoricalCrossentropy CrossEntropyLoss",
            "cross_entropy",
        ),
        ("mse MSE mean_squared_error MSELoss MeanSquaredError", "mse"),
        ("l1 mae mean_absolute_error L1Loss", "l1"),
        ("bce binary_crossentropy binary_cross_entropy BCEWithLogitsLoss", "binary_cross_entropy"),
        ("huber HuberLoss", "huber"),
    ],
)
def test_losses_by_name(names, meant):
    assert {loss_meant(name) for name in names.split()} == {meant}


def test_each_loss_has_its_own_name():
    assert [loss_meant(name) for name in LOSSES] == list(LOSSES)


@pytest.mark.parametrize(
    ("written", "nearest"),
    [("nll", "cross_entropy"), ("crosentropy", "cross_entropy"), ("hinge", "binary_cross_entropy")],
)
def test_other_losses_are_errors_that_name_the_nearest(written, nearest):
    with pytest.raises(ValueError, match=f"loss must be one of .*: the nearest is '{nearest}'"):
        loss_meant(written)
    with pytest.raises(ValueError, match="loss must be one of sum, mean"):
        loss_meant("xyzzy")


def test_what_is_no_loss():
    with pytest.raises(TypeError, match=r"loss must be one of .*got None: write loss='mse'"):
        loss_meant(None)


def test_losses_by_name_are_understood_everywhere(backend_name):
    net, (x, y) = classifier(), problem()
    wanted = ub.value_and_grad(net, x, y, loss="cross_entropy")[0]
    assert ub.value_and_grad(net, x, y, loss="crossentropy")[0] == wanted
    assert ub.evaluate(net, x, y, loss="ce") == ub.evaluate(net, x, y, loss="cross_entropy")
    trainer = ub.Trainer(net, "adam", "CrossEntropyLoss")
    assert (trainer.optimizer, trainer.loss) == (ub.Adam(), "cross_entropy")
    np.testing.assert_allclose(ub.to_numpy(trainer.step(x, y)), wanted, rtol=1e-12)


@pytest.mark.parametrize("given", [1.0, "3", None, True, np.ones(2)])
def test_a_count_is_a_whole_number(given):
    with pytest.raises(TypeError, match="fit: epochs must be a whole number; got epochs="):
        check_count("fit", "epochs", given)
    check_count("fit", "epochs", np.int64(3))


def test_names_of_other_libraries_for_devices(backend_name):
    """`cuda` is what PyTorch calls GPUs; which of them there are is another question."""
    gpus = [name for name in ub.devices(backend_name) if name.startswith("gpu")]
    with ub.use_backend(backend_name):
        net = classifier()
        for name in ("cpu", "CPU", "cpu:0"):
            moved = ub.to_device(net, name)
            assert ub.from_numpy(normal(2), device=name) is not None
            assert {v.device for v in ub.backend_of(moved).variables(moved)} == {"cpu"}
        if gpus:
            moved = ub.to_device(net, "cuda")
            assert {v.device for v in ub.backend_of(moved).variables(moved)} == {"gpu:0"}
        for name in ("cuda:9", "cuda", "GPU:0"):
            meant = "gpu:" + (name.partition(":")[2] or "0")
            if meant not in gpus:
                with pytest.raises(ValueError, match=f"device must be one of cpu.*; got '{meant}'"):
                    ub.to_device(net, name)
                with pytest.raises(ValueError, match=f"got '{meant}'"):
                    ub.from_numpy(normal(2), device=name)
