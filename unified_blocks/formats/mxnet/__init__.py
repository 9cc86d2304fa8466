"""Files of MXNet: `.params` of 1.x and 2.0."""
