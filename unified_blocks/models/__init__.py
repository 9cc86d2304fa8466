"""Functions on any model, made by this library or not: state, transfer, conversion, placement."""
