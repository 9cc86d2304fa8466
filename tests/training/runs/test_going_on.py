"""A training that was cut goes on from its checkpoint, and comes to the same to the last bit."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.killed_run import CutError, Seen, everything, frozen, network, problem, same, train
from testbed.learning import OPTIMIZERS

pytestmark = pytest.mark.usefixtures("backend_name")


def cut_and_gone_on(folder, seen, **options):
    """Train until `seen` raises, then again with another network; what it came to."""
    with pytest.raises(CutError):
        train(folder, seen=seen, **options)
    options["net"] = network(seed=77)  # none of its numbers may remain
    return train(folder, **options)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_from_an_epoch(tmp_path, optimizer):
    wanted = train(tmp_path / "whole", optimizer=optimizer)
    found = cut_and_gone_on(tmp_path / "cut", Seen(epoch=3), optimizer=optimizer)
    same(found, wanted)


@pytest.mark.parametrize("update", [4, 5, 6, 7, 13])
def test_from_an_update(tmp_path, update):
    wanted = train(tmp_path / "whole", every=2)
    same(cut_and_gone_on(tmp_path / "cut", Seen(update=update), every=2), wanted)


OPTIONS = {
    "all": everything,
    "accumulated": lambda: {"accumulate": 2, "average": 0.5, "optimizer": ub.Adam(0.01)},
    "weighted": lambda: {"sample_weight": normal(44, seed=4) ** 2, "class_weight": {0: 3.0}},
    "plateau": lambda: {"callbacks": [ub.ReduceOnPlateau("loss", 0.5, 1, min_delta=9.0)]},
    "split": lambda: {"validation_split": 0.25, "metrics": ["accuracy", ub.TopK(2)]},
    "groups": lambda: {
        "clip": ub.Clip(global_norm=0.5),
        "groups": [ub.ParameterGroup("*.bias", weight_decay=0.0, learning_rate=0.5)],
        "schedule": ub.WarmUp(9, ub.CosineDecay(20)),
        "optimizer": ub.SGD(0.1, momentum=0.9, weight_decay=0.01),
    },
}


@pytest.mark.parametrize("kind", OPTIONS)
def test_with_all_that_training_can_do(tmp_path, kind):
    wanted = train(tmp_path / "whole", every=2, **OPTIONS[kind]())
    with pytest.raises(CutError):
        train(tmp_path / "cut", seen=Seen(update=9), every=2, **OPTIONS[kind]())
    same(train(tmp_path / "cut", every=2, net=network(seed=77), **OPTIONS[kind]()), wanted)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_in_mixed_precision(tmp_path, backend_name, precision):
    if backend_name == "mxnet":
        pytest.skip("MXNet has no training in mixed precision")

    def net(seed=5):
        if backend_name == "torch":
            return network(seed)
        return network(seed, f"mixed_{precision}")

    options = {"precision": precision, "optimizer": ub.Adam(0.01), "every": 2}
    wanted = train(tmp_path / "whole", net=net(), **options)
    with pytest.raises(CutError):
        train(tmp_path / "cut", net=net(), seen=Seen(update=9), **options)
    same(train(tmp_path / "cut", net=net(77), **options), wanted)
    assert ("optimizer.loss_scale" in wanted) == (precision == "float16")


def test_only_what_is_left_is_done(tmp_path):
    with pytest.raises(CutError):
        train(tmp_path, seen=Seen(update=11), every=2)
    seen = Seen()
    train(tmp_path, seen=seen, every=2)
    assert seen.updates == list(range(11, 37))
    again = Seen()
    train(tmp_path, seen=again, every=2)
    assert again.updates == []


def test_cut_again_and_again(tmp_path):
    wanted = train(tmp_path / "whole", every=1)
    for cut, update in enumerate((1, 2, 3, 9, 24, 36)):  # nothing is kept before the second
        net = network() if cut < 2 else network(seed=cut)
        with pytest.raises(CutError):
            train(tmp_path / "cut", seen=Seen(update=update), every=1, net=net)
    same(train(tmp_path / "cut", every=1, net=network(seed=9)), wanted)


def test_a_finished_training_trains_nothing(tmp_path):
    wanted, seen = train(tmp_path), Seen()
    same(train(tmp_path, seen=seen, net=network(seed=77)), wanted)
    assert seen.updates == []


def test_more_epochs_go_on(tmp_path):
    wanted = train(tmp_path / "whole", epochs=8)
    train(tmp_path / "cut", epochs=5)
    same(train(tmp_path / "cut", epochs=8, net=network(seed=77)), wanted)


def test_the_folder_alone_is_enough(tmp_path):
    """`checkpoint=` is the folder; without callbacks an epoch is one call."""
    x, y = problem()
    options = {"loss": "cross_entropy", "optimizer": ub.Adam(0.01), "batch_size": 8}
    nets = [network(), network(), network(seed=77)]
    whole = ub.fit(nets[0], x, y, epochs=4, checkpoint=tmp_path / "whole", **options)
    ub.fit(nets[1], x, y, epochs=2, checkpoint=str(tmp_path / "a" / "b"), **options)
    history = ub.fit(nets[2], x, y, epochs=4, checkpoint=str(tmp_path / "a" / "b"), **options)
    assert history.loss == whole.loss
    same(ub.state(nets[2]), ub.state(nets[0]))
    assert sorted(p.name for p in (tmp_path / "a" / "b").iterdir()) == ["checkpoint.safetensors"]


def test_the_model_is_in_the_file(tmp_path):
    wanted = train(tmp_path)
    file = ub.read_state(tmp_path / "checkpoint.safetensors")
    net = ub.load_state(network(seed=77), file)
    for name, array in ub.state(net).items():
        np.testing.assert_array_equal(array, wanted[name])
    assert file.own["backend"] == ub.get_backend().name
    assert file.own["run"]["updates"] == 36


def test_frozen_parameters_and_other_dtypes(tmp_path):
    def net(seed=5):
        return frozen(network(seed, "float64"), "0.weight")

    options = {"data": problem("float64")}
    wanted = train(tmp_path / "whole", net=net(), **options)
    with pytest.raises(CutError):
        train(tmp_path / "cut", net=net(), seen=Seen(epoch=2), **options)
    same(train(tmp_path / "cut", net=net(7), **options), wanted)


def test_running_statistics_and_constants(tmp_path):
    """What is no parameter goes on too: BatchNorm's statistics, and the counts of layers."""

    def net(seed=5):
        made = ub.MySequential(ub.Dense(8, in_units=6), ub.BatchNorm(), ub.Dense(4, in_units=8))
        return ub.initialize(ub.build(made, (2, 6)), seed)

    wanted = train(tmp_path / "whole", net=net())
    with pytest.raises(CutError):
        train(tmp_path / "cut", net=net(), seen=Seen(epoch=2))
    same(train(tmp_path / "cut", net=net(7)), wanted)


class Changing(ub.Callback):
    """Halves the learning rate after each epoch, and counts."""

    def __init__(self):
        self.count, self.kept = 0, {}

    def epoch(self, run):
        run.trainer.learning_rate /= 2
        self.count += 1
        self.kept[f"{run.epoch}"] = (run.loss, np.arange(self.count, dtype="int32"))

    def state(self):
        return {"count": self.count, "kept": self.kept, "none": None, "list": [True, "é", 1e-300]}

    def load(self, state):
        assert state["none"] is None
        assert state["list"] == [True, "é", 1e-300]
        self.count, self.kept = state["count"], state["kept"]


@pytest.mark.parametrize("optimizer", [ub.SGD(0.1, momentum=0.9), ub.Adam(0.01)], ids=repr)
def test_what_callbacks_keep_and_a_rate_that_changed(tmp_path, optimizer):
    first, second, third = Changing(), Changing(), Changing()
    wanted = train(tmp_path / "whole", callbacks=[first], optimizer=optimizer)
    with pytest.raises(CutError):
        train(tmp_path / "cut", callbacks=[second], optimizer=optimizer, seen=Seen(epoch=4))
    found = train(tmp_path / "cut", callbacks=[third], optimizer=optimizer, net=network(seed=7))
    same(found, wanted)
    assert third.count == first.count == 6
    assert third.kept.keys() == first.kept.keys()
    for key, (loss, array) in first.kept.items():
        assert third.kept[key][0] == loss
        np.testing.assert_array_equal(third.kept[key][1], array)
        assert third.kept[key][1].dtype == "int32"
    assert found["history.learning_rate"][-1] == wanted["history.learning_rate"][-1]


def test_another_rate_is_taken(tmp_path):
    train(tmp_path, epochs=2)
    seen = Seen()
    train(tmp_path, epochs=3, optimizer=ub.SGD(0.01, momentum=0.9), seen=seen)
    assert seen.trainer.learning_rate == 0.01


class Stops(ub.Callback):
    def epoch(self, run):
        if run.epoch == 3:
            run.stop("enough")


def test_a_training_that_was_stopped_stays_so(tmp_path):
    wanted, seen = train(tmp_path, callbacks=[Stops()]), Seen()
    same(train(tmp_path, callbacks=[Stops()], seen=seen, net=network(seed=7)), wanted)
    assert seen.updates == []


def test_a_loss_that_is_nan_goes_on(tmp_path):
    x, y = problem()
    x[0] = np.nan
    data = {"data": (x, y), "every": 2}
    wanted = train(tmp_path / "whole", **data)
    assert np.isnan(wanted["history.loss"]).all()
    same(cut_and_gone_on(tmp_path / "cut", Seen(update=9), **data), wanted)


def test_without_a_checkpoint_nothing_is_seeded(backend, monkeypatch):
    monkeypatch.setattr(type(backend), "seed", lambda *given: pytest.fail("was seeded"))
    ub.fit(network(), *problem(), loss="cross_entropy", optimizer=ub.SGD(0.1))


def test_rests_of_killed_saves_are_removed(tmp_path):
    rest, other = tmp_path / f".{'0' * 16}.part", tmp_path / "mine.part"
    rest.write_bytes(b"half")
    other.write_bytes(b"mine")
    train(tmp_path, epochs=1)
    assert not rest.exists()
    assert other.read_bytes() == b"mine"


class StopsAt(ub.Callback):
    def step(self, run):
        if run.updates == 9:
            run.stop("enough")


def test_a_training_that_was_stopped_in_an_epoch_ends_it(tmp_path):
    """The save is after the stop, and what belongs to the end of the epoch is done later."""
    x, y = problem()
    options = {"every": 1, "validation": (x, y)}
    wanted = train(tmp_path / "whole", callbacks=[StopsAt()], **options)
    assert len(wanted["history.validation_loss"]) == 2
    with pytest.raises(CutError):
        train(tmp_path / "cut", callbacks=[StopsAt()], seen=Seen(epoch=2), **options)
    same(train(tmp_path / "cut", callbacks=[StopsAt()], net=network(seed=7), **options), wanted)


@pytest.mark.parametrize("every", ["epoch", 2])
def test_the_rate_of_an_epoch_is_that_of_its_last_update(tmp_path, every):
    x, _ = problem()
    options = {"loss": "mse", "optimizer": ub.SGD(0.5), "batch_size": 8, "epochs": 2}
    history = ub.fit(
        network(),
        x,
        x[:, :4],
        schedule=ub.StepDecay(1, gamma=0.5),
        checkpoint=ub.Checkpoint(tmp_path, every),
        **options,
    )
    assert history.learning_rate == [0.5**6, 0.5**12]
