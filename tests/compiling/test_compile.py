"""`ub.compile` of models: what it chooses, and what it refuses."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.compiled import BLOCKS, WIDTH, Doubled, Normed, agree, built, inferred, rows
from unified_blocks.backend import Graph
from unified_blocks.compiling import models
from unified_blocks.compiling.figures import Figure, fastest, timed
from unified_blocks.compiling.models import probes_of
from unified_blocks.compiling.timing import Ratio


@pytest.mark.parametrize("name", BLOCKS)
def test_the_choice_is_one_of_the_ways_and_right(backend, name):
    net, (x,) = built(BLOCKS[name](), (4, WIDTH))
    before = ub.state(net)
    fast = ub.compile(net, x)
    kinds = backend.graph_kinds
    assert [figure.name for figure in fast.figures] == ["eager", *kinds]
    assert fast.choice in ("eager", *kinds)
    for figure in fast.figures[1:]:
        assert figure.obstacle is None
        assert figure.ratio is not None
        assert figure.worst.ok
    for batch in (x, rows(backend, x, 7)):
        with backend.inferring(net):
            agree(backend, fast(batch), net(batch))
    after = ub.state(net)
    assert all(np.array_equal(before[key], after[key]) for key in before)


def test_each_kind_of_graph_is_the_model(backend):
    """Also one that the machine's speed would not choose."""
    net, (x,) = built(Normed(), (4, WIDTH))
    for kind in backend.graph_kinds:
        for dynamic in (False, True):
            graph = backend.graph(net, kind, dynamic)
            with backend.inferring(net):
                agree(backend, graph(x), net(x))


def test_a_graph_follows_the_numbers_of_the_model(backend):
    net, (x,) = built(BLOCKS["MLP"](), (4, WIDTH))
    graph = backend.graph(net, backend.graph_kinds[-1])
    before = backend.to_numpy(graph(x))
    ub.initialize(net, seed=1)
    assert np.abs(backend.to_numpy(graph(x)) - before).max() > 0.01
    agree(backend, graph(x), net(x))
    assert graph.traces == 1


# what is chosen


def with_ratio(name, low, median, high):
    return Figure(name, seconds=median, ratio=Ratio(median, low, high, 10))


def test_the_fastest_of_those_that_are_surely_faster_is_chosen():
    eager = Figure("eager", seconds=1.0)
    doubtful, fast, faster = (
        with_ratio("doubtful", 0.1, 0.2, 1.01),
        with_ratio("fast", 0.5, 0.6, 0.7),
        with_ratio("faster", 0.3, 0.4, 0.5),
    )
    assert fastest([eager, doubtful, fast, faster]) == "faster"
    assert fastest([eager, doubtful, with_ratio("slow", 1.5, 2.0, 2.5)]) == "eager"
    assert fastest([eager, Figure("broken", obstacle="it fails")]) == "eager"


def test_times_are_of_the_ways_without_an_obstacle(backend):
    made = []
    calls = {name: (lambda name=name: made.append(name)) for name in ("eager", "a", "broken")}
    given = [Figure("eager"), Figure("a"), Figure("broken", obstacle="it fails")]
    eager, a, broken = timed(given, calls, backend)
    assert set(made) == {"eager", "a"}
    assert made.count("eager") == made.count("a")
    assert eager.seconds > 0
    assert eager.ratio is None
    assert a.ratio.low <= a.ratio.median <= a.ratio.high
    assert broken == given[2]


class Answers(Graph):
    """A graph that computes something else."""

    def __init__(self, answer):
        self.answer = answer

    def __call__(self, *inputs):
        return self.answer(*inputs)


def test_a_fast_graph_with_a_wrong_number_is_not_chosen(backend, monkeypatch):
    net, (x,) = built(BLOCKS["MLP"](), (4, WIDTH))
    answer = inferred(backend, net, x) * 1.001
    graph = Answers(lambda x: answer)  # in no time, and off by one part in a thousand
    monkeypatch.setattr(backend, "graph", lambda net, kind, dynamic=False: graph)
    fast = ub.compile(net, x)
    assert fast.choice == "eager"
    assert {figure.obstacle for figure in fast.figures[1:]} == {"out of tolerance"}
    assert "out of tolerance" in repr(fast)
    agree(backend, inferred(backend, net, x, way=fast), inferred(backend, net, x))


def test_a_graph_that_cannot_be_made_is_not_chosen(backend, monkeypatch):
    def graph(net, kind, dynamic=False):
        raise ub.UnsupportedError("this one has no graph\nfor a reason")

    net, (x,) = built(BLOCKS["MLP"](), (4, WIDTH))
    monkeypatch.setattr(backend, "graph", graph)
    fast = ub.compile(net, x)
    assert fast.choice == "eager"
    assert fast.traces == 0
    assert {f.obstacle for f in fast.figures[1:]} == {"UnsupportedError: this one has no graph"}
    assert fast.figures[1].seconds is None


def test_a_backend_without_graphs_is_eager(backend, monkeypatch):
    net, (x,) = built(BLOCKS["MLP"](), (4, WIDTH))
    monkeypatch.setattr(backend, "graph_kinds", ())
    assert ub.compile(net, x).choice == "eager"
    with pytest.raises(ub.UnsupportedError, match=f"got a model of {backend.title}"):
        ub.compile(net, mode="native")


def test_the_framework_s_own_default(backend):
    net, (x,) = built(BLOCKS["MLP"](), (4, WIDTH))
    fast = ub.compile(net, mode="native")
    assert (fast.choice, fast.figures, fast.traces) == (backend.graph_kinds[0], (), 0)
    with backend.inferring(net):
        agree(backend, fast(x), net(x))
    assert fast.traces == 1
    assert repr(fast) == f"MLP on {backend.title}: {fast.choice}"


def test_the_repr_shows_the_figures(backend):
    net, (x,) = built(BLOCKS["MLP"](), (4, WIDTH))
    fast = ub.compile(net, x)
    head, *lines = repr(fast).splitlines()
    assert head == f"MLP on {backend.title}: {fast.choice}"
    assert len(lines) == 1 + len(backend.graph_kinds)
    for line, figure in zip(lines, fast.figures, strict=True):
        assert line.split("  ")[1] == figure.name
        assert "µs" in line
        assert ("ratio" in line) == (figure.name != "eager")


# errors


def test_what_cannot_be_compiled_is_an_error(backend):
    net = ub.MLP(8, 3)
    with pytest.raises(ub.NotBuiltError, match=r"ub\.build"):
        ub.compile(net, np.zeros((4, WIDTH), "float32"))
    net, (x,) = built(BLOCKS["MLP"](), (4, WIDTH))
    with pytest.raises(ValueError, match="measured, native; got mode='fast'"):
        ub.compile(net, x, mode="fast")
    with pytest.raises(ValueError, match="got none: give an input"):
        ub.compile(net)
    with pytest.raises(ub.ForeignTensorError):
        ub.compile(net, "an input")


def test_an_input_that_the_model_cannot_take_is_its_own_error(backend):
    net, (x,) = built(BLOCKS["MLP"](), (4, WIDTH))
    with pytest.raises(ub.InputError, match=r"shape \(n, 6\)"):
        ub.compile(net, np.zeros((4, WIDTH + 1), "float32"))
    fast = ub.compile(net, x)
    wrong = backend.from_numpy(np.zeros((4, WIDTH + 1), "float32"))
    with pytest.raises(Exception, match="7"):
        fast(wrong)


def test_a_plain_gluon_block_has_no_graph(backend_name, backend):
    if backend_name != "mxnet":
        pytest.skip("of Gluon")
    from mxnet.gluon import nn

    class Plain(nn.Block):
        def forward(self, x):
            return x * 2

    net, (x,) = built(ub.MySequential(ub.Dense(3, in_units=WIDTH), Plain()), (4, WIDTH))
    fast = ub.compile(net, x)
    assert fast.choice == "eager"
    assert "MySequential with a Plain" in fast.figures[1].obstacle


def test_whole_numbers_are_equal_or_wrong(backend, monkeypatch):
    net, (x,) = built(Doubled(), (4, WIDTH), dtype="int64")
    right = ub.compile(net, x)
    assert {figure.obstacle for figure in right.figures} == {None}
    graph = Answers(lambda x: x + x + 1)
    monkeypatch.setattr(backend, "graph", lambda net, kind, dynamic=False: graph)
    wrong = ub.compile(net, x)
    assert wrong.choice == "eager"
    assert wrong.figures[1].worst.absolute == 1
    assert wrong.figures[1].obstacle == "out of tolerance"


def test_another_number_of_outputs_is_out_of_tolerance(backend, monkeypatch):
    net, (x,) = built(Doubled(), (4, WIDTH))
    graph = Answers(lambda x: (x + x, x))
    monkeypatch.setattr(backend, "graph", lambda net, kind, dynamic=False: graph)
    assert ub.compile(net, x).figures[1].obstacle == "out of tolerance"


class Gives(ub.Block):
    """What `give` makes of two layers' outputs."""

    def __init__(self, give):
        super().__init__()
        self.start, self.end, self.give = ub.Dense(3), ub.Dense(3), give

    def forward(self, X):
        return self.give(self.start(X), self.end(X))


def nothing(start, end):
    return None


def no_tensor(start, end):
    return {"loss": 0.5, "state": ()}


@pytest.mark.parametrize("give", [nothing, no_tensor])
def test_a_model_that_gives_no_tensor_is_an_error(backend, give):
    net, (x,) = built(Gives(give), (4, WIDTH))
    with pytest.raises(ub.UnsupportedError, match=r"Gives on \w+ gives must hold a tensor"):
        ub.compile(net, x)


def by_key(start, end):
    return {"start": start, "end": end}


def test_outputs_are_compared_by_key(backend, monkeypatch):
    net, (x,) = built(Gives(by_key), (4, WIDTH))
    start, end = (inferred(backend, net, x)[key] for key in ("start", "end"))
    graph = Answers(lambda x: {"end": end, "start": start})
    monkeypatch.setattr(backend, "graph", lambda net, kind, dynamic=False: graph)
    monkeypatch.setattr(models, "probes_of", lambda *given: probes_of(*given)[:1])
    assert ub.compile(net, x).figures[1].obstacle is None
    graph.answer = lambda x: {"start": end, "end": start}
    assert ub.compile(net, x).figures[1].obstacle == "out of tolerance"
    graph.answer = lambda x: {"start": start, "last": end}
    assert ub.compile(net, x).figures[1].obstacle == "out of tolerance"
