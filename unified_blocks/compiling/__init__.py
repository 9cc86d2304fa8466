"""`ub.compile`: the fastest way that a framework has to run a model or a training step."""
