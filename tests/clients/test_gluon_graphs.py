"""What MXNet makes of the graph of a block, as of one written by hand."""

import json

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal

if "mxnet" not in ub.available_backends():
    pytest.skip("mxnet is not installed", allow_module_level=True)

from testbed.gluon_pairs import CLASSES, WIDTH, pair
from unified_blocks_mxnet.compat import mx, numpy_semantics

X, Y = normal(24, WIDTH), np.arange(24) % CLASSES


def graph(net):
    """The graph as one for tools that know no NumPy semantics."""
    with numpy_semantics():
        return net(mx.sym.var("data").as_np_ndarray()).as_nd_ndarray()


def held(net):
    """The numbers for `Module.set_params`."""
    parameters = net.collect_params().values()
    arguments = {p.name: p.data().as_nd_ndarray() for p in parameters}
    return {k: a for k, a in arguments.items() if "running" not in k}, {
        k: a for k, a in arguments.items() if "running" in k
    }


def test_module():
    found = []
    for net in pair():
        output = mx.sym.SoftmaxOutput(graph(net), mx.sym.var("label"), name="softmax")
        module = mx.mod.Module(output, label_names=["label"])
        data = mx.io.NDArrayIter(X, Y.astype("float32"), 8, label_name="label")
        arguments, statistics = held(net)
        module.fit(
            data,
            eval_metric="ce",
            optimizer_params={"learning_rate": 0.1},
            arg_params=arguments,
            aux_params=statistics,
            num_epoch=2,
        )
        found.append(module.predict(data).asnumpy())
    np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("way", [{}, {"static_alloc": True, "static_shape": True}])
def test_symbol_block(tmp_path, way):
    with numpy_semantics():
        for net in pair():
            net.hybridize(**way)
            expected = net(mx.np.array(X)).asnumpy()
            net.export(str(tmp_path / "net"), epoch=3)
            files = str(tmp_path / "net-symbol.json"), str(tmp_path / "net-0003.params")
            with pytest.warns(UserWarning, match="Cannot decide type"):
                loaded = mx.gluon.SymbolBlock.imports(files[0], ["data"], files[1])
            np.testing.assert_array_equal(loaded(mx.np.array(X)).asnumpy(), expected)
            inputs = mx.sym.var("data", dtype="float32").as_np_ndarray()
            inner = net(inputs).get_internals()
            middle = next(i for i, name in enumerate(inner.list_outputs()) if "relu" in name)
            part = mx.gluon.SymbolBlock(
                inner[middle].as_np_ndarray(), inputs, params=net.collect_params()
            )
            hidden = net.hidden(mx.np.array(X)).asnumpy()
            np.testing.assert_allclose(part(mx.np.array(X)).asnumpy(), hidden, rtol=1e-5)


def test_the_same_operations_are_in_the_graph():
    ours, native = (json.loads(graph(net).tojson())["nodes"] for net in pair())
    assert [node["op"] for node in ours] == [node["op"] for node in native]


def test_plots_and_summaries_of_graphs(capsys):
    printed = []
    for net in pair():
        mx.viz.print_summary(graph(net), shape={"data": (2, WIDTH)})
        printed.append(capsys.readouterr().out.splitlines())
        assert "Total params" in printed[-1][-2]
    assert printed[0][-2] == printed[1][-2]
    assert len(printed[0]) == len(printed[1])


def test_summary(capsys):
    counts = []
    for net in pair():
        with numpy_semantics():
            net.summary(mx.np.array(X))
        counts.append([row for row in capsys.readouterr().out.splitlines() if "aram" in row])
    assert len(counts[0]) > 3
    assert counts[0] == counts[1]


def test_hybridized_and_back():
    for net in pair():
        with numpy_semantics():
            expected = net(mx.np.array(X)).asnumpy()
            for active in (True, False, True):
                net.hybridize(active)
                found = net(mx.np.array(X)).asnumpy()
                np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_cast_moved_and_back():
    for net in pair():
        with numpy_semantics():
            net.cast("float64")
            assert net(mx.np.array(X, dtype="float64")).dtype == np.float64
            net.collect_params().reset_ctx([mx.cpu(0), mx.cpu(1)])
            for ctx in (mx.cpu(0), mx.cpu(1)):
                assert net(mx.np.array(X, dtype="float64", ctx=ctx)).ctx == ctx
            net.cast("float32")
            net.collect_params().reset_ctx(mx.cpu())
            assert net(mx.np.array(X)).dtype == np.float32


def test_profiler(tmp_path):
    found = []
    for net in pair():
        mx.profiler.set_config(
            profile_all=True, aggregate_stats=True, filename=str(tmp_path / "profile.json")
        )
        mx.profiler.set_state("run")
        with numpy_semantics():
            net(mx.np.array(X)).wait_to_read()
        mx.profiler.set_state("stop")
        found.append(mx.profiler.dumps(reset=True))
    assert all("fully_connected" in each.lower() or "FullyConnected" in each for each in found)
