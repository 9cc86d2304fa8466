"""A backend whose framework fails at import, as MXNet does on a NumPy that it does not know."""

raise AttributeError("no such thing")
