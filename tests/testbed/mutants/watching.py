"""What the suite holds metrics, `ub.evaluate` and `ub.predict` to."""

import numpy as np

import unified_blocks as ub
from testbed.common import normal
from testbed.mutants.suite import dense, net_of

WEIGHTS = np.array([0.5, 2.0, 0.0, 1.0, 3.0, 1.0, 0.25, 1.0, 2.0, 1.0])


def metrics_are_their_formulas(backend_name):
    """Weighted and not, however the samples lie in batches."""
    net, x = net_of(dense(4)), normal(10, 6, dtype="float64")
    output = ub.predict(net, x)
    labels = output.argsort(axis=1)[np.arange(10), np.arange(10) % 4]
    larger = (output > output[np.arange(10), labels][:, None]).sum(axis=1)
    for w in (None, WEIGHTS):
        for batch_size in (None, 4):
            found = ub.evaluate(
                net,
                x,
                labels,
                metrics=["accuracy", "top_2"],
                sample_weight=w,
                batch_size=batch_size,
            )
            wanted = [np.average(larger < k, weights=w) for k in (1, 2)]
            np.testing.assert_allclose(list(found.values()), wanted, rtol=1e-12)


def a_single_logit_is_told_by_its_sign(backend_name):
    net, x = net_of(dense(1)), normal(10, 6, dtype="float64")
    output = ub.predict(net, x)[:, 0]
    y = (np.arange(10) % 2).astype(int)
    found = ub.evaluate(net, x, y, metrics="accuracy")["accuracy"]
    np.testing.assert_allclose(found, np.mean((output > 0) == y), rtol=1e-12)


def outputs_are_in_order(backend_name):
    net, x = net_of(dense(3)), normal(10, 6, dtype="float64")
    np.testing.assert_allclose(ub.predict(net, x, batch_size=4), ub.predict(net, x), rtol=1e-12)
