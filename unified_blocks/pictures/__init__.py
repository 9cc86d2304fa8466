"""Networks as pictures: one run of a model is watched, folded, and drawn as SVG."""
