"""How a network learns: rates, clipping, groups of parameters, and when it stops."""
