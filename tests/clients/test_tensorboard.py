"""TensorBoard reads the event files of a training as those of the framework's own writer."""

import pytest

import unified_blocks as ub
from testbed.learning import classifier, problem

pytest.importorskip("tensorboard", reason="tensorboard is not installed")


@pytest.fixture(autouse=True)
def a_writer(backend):
    if "event-files" in backend.lacks:
        pytest.skip(backend.lacks["event-files"])


def points(folder):
    """The curves of the files of a folder: (step, value) by name."""
    from tensorboard.backend.event_processing.event_accumulator import TENSORS, EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    events = EventAccumulator(str(folder), size_guidance={TENSORS: 0})
    events.Reload()
    found = {
        name: [(event.step, event.value) for event in events.Scalars(name)]
        for name in events.Tags()["scalars"]
    }
    for name in events.Tags()["tensors"]:
        assert events.SummaryMetadata(name).plugin_data.plugin_name == "scalars"
        found[name] = [(e.step, float(make_ndarray(e.tensor_proto))) for e in events.Tensors(name)]
    return found


def by_hand(backend_name, folder, curves):
    """Write curves as one does it in the framework."""
    if backend_name == "torch":
        from torch.utils.tensorboard import SummaryWriter

        with SummaryWriter(str(folder)) as writer:
            for name, values in curves.items():
                for epoch, value in enumerate(values, start=1):
                    writer.add_scalar(name, value, epoch)
        return
    import tensorflow as tf

    writer = tf.summary.create_file_writer(str(folder))
    with writer.as_default():
        for name, values in curves.items():
            for epoch, value in enumerate(values, start=1):
                tf.summary.scalar(name, value, epoch)
    writer.close()


def test_the_curves_of_a_training(backend_name, tmp_path):
    x, y = problem()
    history = ub.fit(
        classifier(),
        x,
        y,
        loss="cross_entropy",
        optimizer=ub.SGD(0.25),
        epochs=3,
        validation=(x, y),
        callbacks=[ub.TensorBoard(tmp_path / "ours")],
    )
    by_hand(backend_name, tmp_path / "native", history.curves)
    found = points(tmp_path / "ours")
    assert found == points(tmp_path / "native")
    assert list(found) == list(history.curves)
    assert [step for step, _ in found["validation_loss"]] == [1, 2, 3]
    assert [value for _, value in found["loss"]] == pytest.approx(history.loss, rel=1e-6)


def test_a_second_training_adds_to_the_curves(backend_name, tmp_path):
    x, y = problem()
    callback = ub.TensorBoard(tmp_path)
    net, options = classifier(), {"loss": "cross_entropy", "optimizer": ub.SGD(0.25)}
    for _ in range(2):
        ub.fit(net, x, y, callbacks=[callback], **options)
    assert len(list(tmp_path.iterdir())) == 2
