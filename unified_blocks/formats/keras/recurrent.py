"""The cells of Keras' recurrent layers in its files.

A cell holds `kernel` and `recurrent_kernel`, `(…, gates · units)`, and one bias. A GRU has its
gates in the order z, r, h where others have r, z, n, and two biases in one array. The bias of the
others is the sum of two, all of which counts as that of the input. A layer has its cell in `cell`,
and one in both directions two layers, in `forward_layer` and `backward_layer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from unified_blocks.errors import UnsupportedError
from unified_blocks.formats.keras.config import Place
from unified_blocks.formats.keras.config import kind as kind_of
from unified_blocks.formats.keras.families import (
    BIASES,
    CELLS,
    NAMES,
    CellFamily,
    Family,
    Shape,
    of_automatic_name,
    without_number,
)
from unified_blocks.formats.stored import Stored
from unified_blocks.types import Array

BY_KIND = {
    name: family
    for family in CELLS
    for name in (family.kind.removesuffix("Cell"), family.keras.removesuffix("Cell"))
}
"""The cell of each layer, by what this library calls it, and by what Keras does."""
DIRECTIONS = {"forward_layer": "_l0", "backward_layer": "_l0_reverse"}
"""How the names end in a layer of both directions."""
KIND, INSIDE = "unified_blocks_kind", "unified_blocks_layer"
"""The kind of a layer, and the layer that a cell belongs to, in a file that this library wrote."""


def of_layer(name: str) -> CellFamily | None:
    """The cell of a layer that Keras has called `name`: lstm_1, forward_gru, …"""
    plain = without_number(name.removeprefix("forward_").removeprefix("backward_"))
    found = of_automatic_name(f"{plain}_cell")
    return found if isinstance(found, CellFamily) else None


class Cell(NamedTuple):
    """A cell in a file.

    Attributes:
        family: its kind.
        place: that of its layer.
        end: how the names of its variables end.
        config: the configuration of the layer, in its direction.
    """

    family: CellFamily
    place: Place
    end: str
    config: Any


def layer_of(
    attributes: Mapping[str, str],
    place: Place,
    above: tuple[tuple[Place, str], ...],
    kinds: Mapping[str, str],
) -> Cell | None:
    """The layer that a cell belongs to; None of what is no cell, or stands alone.

    Args:
        attributes: of the variables at this place.
        place, above: where they are, and what that is in, with the names of those.
        kinds: those that were given, by dotted path.
    """
    if place.path[-1:] != ("cell",) or not above:
        return None
    layer, called = above[-1]
    config, end = layer.config, "_l0"
    if layer.path and layer.path[-1] in DIRECTIONS and len(above) > 1:
        end = DIRECTIONS[layer.path[-1]]
        layer, _ = above[-2]
    given = kinds.get(".".join(layer.path)) or kinds.get(".".join(layer.name))
    known = given or (kind_of(config) if isinstance(config, dict) else None)
    family = BY_KIND.get(known) if known else of_layer(called)
    if KIND in attributes:  # this library wrote it
        kind = attributes[KIND].removesuffix("Cell") if INSIDE in attributes else ""
        family = BY_KIND.get(kind)
    return None if family is None else Cell(family, layer, end, config)


def differs(family: Family, options: Mapping[str, Any], arrays: Mapping[str, Any]) -> str | None:
    """Why a cell computes what no other framework does, or may do so."""
    if not isinstance(family, CellFamily) or family.gates != 3:
        return None
    one_bias = any(array.shape == arrays["0"].shape[1:] for array in arrays.values())
    if options.get("reset_after") is False or one_bias:
        return "with reset_after=False, which no other framework computes"
    told = "reset_after" in options or "use_bias" in options
    if len(arrays) < 3 and not told:
        return "without biases, so that nothing tells whether it has reset_after=True"
    return None


def biases(family: CellFamily, held: Mapping[str, Stored], end: str) -> Stored:
    """The two biases of a cell, as Keras has them."""
    pair = [held[name + end] for name in BIASES]
    shape: Shape = (2, *pair[0].shape) if family.gates == 3 else pair[0].shape

    def read() -> Array:
        arrays = [each.read() for each in pair]
        if family.gates == 3:
            return np.stack([family.ordered(array) for array in arrays])
        return np.asarray(arrays[0] + arrays[1])

    return replace(pair[0], name="bias", shape=shape, read=read)


def in_cells(layer: str, held: Mapping[str, Stored]) -> dict[str, dict[str, Stored]] | None:
    """What a recurrent layer or cell holds, as Keras has it: cells, each by its path.

    None of another layer.

    Raises:
        UnsupportedError: for several layers, of which each is one in Keras.
    """
    kinds = {stored.kind for stored in held.values()}
    family = BY_KIND.get(str(*kinds).removesuffix("Cell")) if len(kinds) == 1 else None
    if family is None:
        return None
    ends = [name.removeprefix(NAMES[0]) for name in held if name.startswith(NAMES[0])]
    whole = {name + end for name in (*NAMES[:2], *BIASES) for end in ends}
    if not set(ends) <= {"", *DIRECTIONS.values()} or not held.keys() <= whole:
        raise UnsupportedError(
            "a recurrent layer in a file of Keras must be one layer, in one direction or in both; "
            f"got {layer or 'the model itself'!r} with {', '.join(held)}: write another format, or "
            "make a model with a layer for each"
        )
    place, cells = _place(layer, held), {}
    for end in ends:
        direction = next((name for name, each in DIRECTIONS.items() if each == end), "")
        inside = [place, *([direction] if len(ends) > 1 else []), *(["cell"] if end else [])]
        cell = {name: held[name + end] for name in NAMES[:2]}
        if BIASES[0] + end in held:
            cell[NAMES[2]] = biases(family, held, end)
        cells[".".join(filter(None, inside))] = {
            name: replace(stored, kind=family.kind) for name, stored in cell.items()
        }
    return cells


def _place(layer: str, held: Mapping[str, Stored]) -> str:
    """Where a layer is to be in the file: where it was in a file of Keras, or its name."""
    places = set()
    for stored in held.values():
        place = str(stored.stored_name).rpartition("/vars/")[0].removesuffix("/cell")
        above, _, last = place.rpartition("/")
        places.add(above if last in DIRECTIONS else place)
    return places.pop().replace("/", ".") if len(places) == 1 and "" not in places else layer
