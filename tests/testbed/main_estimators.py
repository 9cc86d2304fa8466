"""A program that searches a grid with scikit-learn, its models of classes of its own."""

import sys
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import GridSearchCV

sys.path.insert(0, str(Path(__file__).parent.parent))

import unified_blocks as ub
from testbed.common import normal

tool, backend_name = sys.argv[1:]
X = normal(40, 6)
y = (X[:, 0] > 0).astype("int64")


class Small(ub.Block):
    """A classifier with a constant."""

    def __init__(self, units=4):
        super().__init__()
        self.scale = ub.Constant(0.5)
        self.hidden = ub.Dense(units, activation="relu", in_units=6)
        self.out = ub.Dense(2, in_units=units)

    def forward(self, X):
        return self.out(self.hidden(self.scale * X))


class Estimator(ClassifierMixin, BaseEstimator):
    """An estimator whose parameter is a block class, or a native one."""

    def __init__(self, module=None, units=4):
        self.module, self.units = module, units

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        with ub.use_backend(backend_name):
            self.module_ = ub.initialize(self.module(self.units), seed=0)
        ub.fit(self.module_, X, y, loss="cross_entropy", optimizer=ub.SGD(0.5), progress=False)
        return self

    def predict(self, X):
        backend = ub.backend_of(self.module_)
        outputs = backend.run(self.module_, [backend.from_numpy(X)])
        return backend.to_numpy(outputs).argmax(axis=1)


def searched(estimator, grid, jobs):
    """The fitted search."""
    return GridSearchCV(estimator, grid, cv=2, n_jobs=jobs, error_score="raise").fit(X, y)


def scikit_learn():
    """The same scores in this process and in others; the best model is of the same class."""
    native = Small.on(backend_name)
    classes = [Small, native]
    if backend_name == "mxnet":  # a fresh process cannot import MXNet before this library does
        classes.remove(native)
    for cls in classes:
        here, there = (searched(Estimator(cls), {"units": [2, 4]}, jobs) for jobs in (1, 2))
        scores = [search.cv_results_["mean_test_score"] for search in (here, there)]
        np.testing.assert_array_equal(*scores)
        assert clone(there.best_estimator_).module is cls
        assert type(there.best_estimator_.module_) is native


def skorch():
    """The scores of a hand-written module are those of a block."""
    import torch
    from skorch import NeuralNetClassifier

    class Twin(torch.nn.Module):
        """What `Small` is."""

        def __init__(self, units=4):
            super().__init__()
            torch.manual_seed(0)
            self.hidden, self.out = torch.nn.Linear(6, units), torch.nn.Linear(units, 2)

        def forward(self, X):
            return self.out(torch.relu(self.hidden(0.5 * X)))

    class Seeded(Small):
        """A block that is drawn like the twin."""

        def __init__(self, units=4):
            torch.manual_seed(0)
            super().__init__(units)

    for make in (lambda cls: cls, lambda cls: cls()):  # a class, and an instance
        found = []
        for cls in (Twin, Seeded.on("torch"), Seeded):
            criterion = torch.nn.CrossEntropyLoss
            net = NeuralNetClassifier(make(cls), criterion=criterion, lr=0.5, verbose=0)
            grid = {"lr": [0.1, 0.5], "module__units": [2, 4]}
            found.append(searched(net, grid, 2).cv_results_["mean_test_score"])
        np.testing.assert_array_equal(found[1], found[0])
        np.testing.assert_array_equal(found[2], found[0])


if __name__ == "__main__":
    {"skorch": skorch, "sklearn": scikit_learn}[tool]()
