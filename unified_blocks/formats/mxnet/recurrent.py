"""What Gluon calls the parameters of recurrent layers and cells, and PyTorch, as we do."""

from __future__ import annotations

import re

_GLUON = re.compile(r"(?:([lr])(\d+)_)?(i2h|h2h|h2r)_(weight|bias)")
_CANONICAL = re.compile(r"(weight|bias)_(ih|hh|hr)(?:_l(\d+)(_reverse)?)?")
_TO_CANONICAL = {"i2h": "ih", "h2h": "hh", "h2r": "hr"}
_TO_GLUON = {new: old for old, new in _TO_CANONICAL.items()}


def canonical_part(name: str) -> str:
    """The canonical name of `l0_i2h_weight` is `weight_ih_l0`, and of `i2h_weight` `weight_ih`."""
    found = _GLUON.fullmatch(name)
    if found is None:
        return name
    way, layer, what, kind = found.groups()
    end = "" if layer is None else f"_l{layer}" + "_reverse" * (way == "r")
    return f"{kind}_{_TO_CANONICAL[what]}{end}"


def gluon_part(name: str) -> tuple[str, str | None, str] | None:
    """The other way round, in parts: `weight_ih_l0_reverse` is `("r", "0", "i2h_weight")`.

    Of a cell the layer is None; None of a name that is of neither.
    """
    found = _CANONICAL.fullmatch(name)
    if found is None:
        return None
    kind, what, layer, reverse = found.groups()
    return "r" if reverse else "l", layer, f"{_TO_GLUON[what]}_{kind}"
