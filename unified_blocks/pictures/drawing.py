"""`draw`: a model as a picture, from one run of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from unified_blocks.backend.tensors import backend_of
from unified_blocks.equivalence.inputs import in_arrays
from unified_blocks.equivalence.watching import watched
from unified_blocks.models.variables import all_built, device_of_variables
from unified_blocks.pictures.fold import folded, shut
from unified_blocks.pictures.svg import in_file, svg
from unified_blocks.pictures.tree import tree_of
from unified_blocks.pictures.wiring import wired
from unified_blocks.reference.policy import TOLERANCES


class Drawing(str):
    """A picture: the text of an SVG, which notebooks show.

    It has the colour of the text around it where it is part of a page.

    Example::

        net = ub.build(ub.NestMLP(), (2, 20))
        picture = ub.draw(net, np.ones((2, 20), "float32"))
        picture.save("nest_mlp.svg")
        picture[:4]  # '<svg'
    """

    def _repr_html_(self) -> str:
        return str(self)

    def _repr_svg_(self) -> str:
        """For what shows SVG as an image, which no text surrounds."""
        return in_file(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file to be shown as an image, on light and on dark pages."""
        Path(path).write_text(in_file(self), encoding="utf-8")


def draw(net: Any, inputs: Any, *, title: str | None = None) -> Drawing:
    """A picture of a model: its layers, what flows between them, and how large they are.

    The model, of any framework and made by this library or not, is run once, in inference, and
    watched. Boxes are layers, each with its canonical name, the shape of what it gives and the
    number of its parameters; frames are blocks with what is inside them. Calls in a row that are
    the same are drawn once: "× 12". In a large picture a block that is made like one before is
    shut, and says like which. A layer that is called again is "shared" then. A model that runs as
    one graph (hybridized, compiled) is one box.

    Lines are found by the numbers: a call has its input from the one that gave the same bits. A
    ring is a value that the forward of a block computed: "+", "×", "relu", "concat", "reshape" or
    "slice" where the numbers show this, and "forward" where they do not. A broken line to it is a
    conclusion: nothing else takes what comes from there. So give ordinary numbers: of zeros, all
    sums are the same.

    Args:
        net: a model whose parameters exist; it stays as it is.
        inputs: as `ub.compare` takes them: NumPy arrays or tensors; a tuple for a model of several
            inputs, a dict for inputs by name. Floating-point ones get the dtype of the model.
        title: of the picture; default: the name of the model's class.

    Returns:
        The text of an SVG: `.save(path)` writes it to a file, and notebooks show it.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
        InputError: (a `ValueError`) for inputs that the model does not take.
        UnsupportedError: for an output without a tensor, or two variables of one name.

    Example::

        net = ub.initialize(ub.build(ub.NestMLP(), (2, 20)), seed=0)
        x = np.random.default_rng(0).normal(size=(2, 20))
        ub.draw(net, x)  # a notebook shows it; .save("nest_mlp.svg") writes it
    """
    backend = backend_of(net)
    variables = all_built(net, "draw")
    arrays, form = in_arrays(inputs, "draw")
    device = device_of_variables(variables)
    dtype = next((v.dtype for v in variables if v.dtype in TOLERANCES), None)
    tensors = [
        backend.from_numpy(
            np.asarray(array, order="C"), device, dtype if array.dtype.kind == "f" else None
        )
        for array in arrays
    ]
    _, calls = watched(net, form.arguments(backend, net, tensors))
    root = tree_of(backend, calls, variables)
    drawn = shut(folded(wired(root)))
    return Drawing(svg(drawn, root.kind if title is None else title))
