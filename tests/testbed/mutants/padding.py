"""What the suite holds the causes of a difference to, where images are padded otherwise."""

import numpy as np

from testbed.common import normal
from unified_blocks.equivalence.causes.evidence import Evidence
from unified_blocks.equivalence.causes.table import cause_of

X = normal(2, 3, 7, 7, dtype="float64")
WEIGHT = normal(3, 4, 3, 3, dtype="float64")
"""Of a transposed convolution."""


def padded(mode="constant", x=X, **options):
    return np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode, **options)


def pooled(x, join, size=3, stride=2):
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), (2, 3))
    return join(windows[:, :, ::stride, ::stride], axis=(4, 5))


def spread(stride=2):
    """All that a transposed convolution makes of an image."""
    size = 6 * stride + 3
    found = np.zeros((2, 4, size, size))
    for i, j in np.ndindex(7, 7):
        at = (slice(i * stride, i * stride + 3), slice(j * stride, j * stride + 3))
        found[:, :, *at] += np.einsum("nc,cokl->nokl", X[:, :, i, j], WEIGHT)
    return found


def cause(a, b, **numbers):
    return cause_of(Evidence("call", "layer", a=a, b=b, x=X, numbers=numbers))


def named(a, b, **numbers):
    for right, wrong in ((a, b), (b, a)):
        assert cause(right, wrong, **numbers) == "another_padding"


def padding_around_a_maximum_is_named(backend_name):
    named(pooled(padded(constant_values=-np.inf), np.max), pooled(X, np.max))


def padding_within_a_mean_is_named(backend_name):
    """Two rows of zeros after the image, which count in one mean and not in the other."""
    after = ((0, 0), (0, 0), (0, 2), (0, 2))
    inside = pooled(np.pad(np.ones_like(X), after), np.sum)
    total = pooled(np.pad(X, after), np.sum)
    named(total / 9, total / inside)


def the_end_that_is_cut_is_named(backend_name):
    whole = spread()
    named(whole[..., 1:, 1:], whole[..., :-1, :-1], weight=WEIGHT)


def what_is_around_an_image_is_named(backend_name):
    named(padded("reflect"), padded())


def a_window_that_may_be_another_is_unknown(backend_name):
    """One window over the whole image: 6 of 7 rows are seen by a smaller one, or by one before."""
    a, b = pooled(X, np.max, 7), pooled(X, np.max, 6, 6)
    assert a.shape == b.shape
    assert cause(a, b) == cause(b, a) == "unknown"
