"""Reading and writing MXNet files: `.params` of 1.x, and of 2.0, which are only read."""
