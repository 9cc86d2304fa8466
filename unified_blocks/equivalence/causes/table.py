"""The known causes of a difference: each cause is a hypothesis that is tested on the numbers.

A cause is named when applying it to the right model's numbers gives the wrong model's, within the
policy. Nothing is guessed: a difference that no hypothesis explains is `unknown`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from unified_blocks.equivalence.causes.activations import (
    activation_extra,
    activation_missing,
    another_activation,
    another_slope,
    gelu_form,
    softmax_axis,
)
from unified_blocks.equivalence.causes.evidence import Evidence
from unified_blocks.equivalence.causes.images import another_layout
from unified_blocks.equivalence.causes.norms import (
    batch_statistics,
    epsilon,
    fix_gamma,
    momentum,
    statistics_not_updated,
    unbiased_variance,
)
from unified_blocks.equivalence.causes.padding import another_padding
from unified_blocks.equivalence.causes.parameters import (
    constant_not_moved,
    constant_not_saved,
    constant_trained,
    flatten_order,
    layers_shared,
    numbers_of_another,
    owner_of_numbers,
    parameter_not_trained,
    shared_layer_duplicated,
    transposed_square_weight,
)
from unified_blocks.equivalence.causes.values import (
    another_dtype,
    bias_missing,
    call_extra,
    call_missing,
    constant_factor,
    constant_offset,
    dropout_active,
    float32_inside,
    gradient_missing,
    input_changed,
    loss_summed,
    not_finite,
)

UNKNOWN = "unknown"


CAUSES: Mapping[str, Callable[[Evidence], bool]] = {
    test.__name__: test
    for test in (
        *(
            not_finite,
            another_dtype,
            fix_gamma,
            constant_not_moved,
            constant_trained,
            parameter_not_trained,
        ),
        *(
            shared_layer_duplicated,
            layers_shared,
            transposed_square_weight,
            flatten_order,
            another_layout,
            numbers_of_another,
        ),
        *(constant_not_saved, call_missing, call_extra, dropout_active),
        *(gelu_form, another_slope, softmax_axis, bias_missing, another_padding, batch_statistics),
        *(unbiased_variance, epsilon, statistics_not_updated, momentum, input_changed),
        *(gradient_missing, loss_summed, another_activation, activation_missing),
        *(activation_extra, float32_inside, constant_factor, constant_offset),
    )
}
"""By identifier; where two explain the same numbers, the earlier one is named."""


def cause_of(evidence: Evidence) -> str:
    """The identifier of the cause that the numbers confirm, else `"unknown"`."""
    arrays = (evidence.x, evidence.a, evidence.b)
    causes = CAUSES
    if any(array is not None and not array.size for array in arrays):  # any numbers would be right
        causes = {another_dtype.__name__: another_dtype}
    with np.errstate(all="ignore"):  # a hypothesis that does not fit may overflow
        return next((name for name, test in causes.items() if test(evidence)), UNKNOWN)


def detail_of(cause: str, evidence: Evidence) -> str | None:
    """What the numbers say beyond the cause, if anything."""
    if cause == numbers_of_another.__name__:
        return f"These are the numbers of {owner_of_numbers(evidence)}."
    return None


def sentence(cause: str) -> str:
    """A cause in a sentence."""
    if cause == UNKNOWN:
        return "No known cause explains the numbers."
    return (CAUSES[cause].__doc__ or "").strip().splitlines()[0]
