"""How far MXNet's own float64 may be from the true value: some operators compute in float32."""

from __future__ import annotations

TOLERANCES = {
    "LeakyReLU": 1e-6,
    "Crop": 1e-6,
    "_contrib_box_decode": 1e-6,
    "SequenceMask": 1e-6,
}
"""By the names of operators, relative to the largest number of what they give."""
