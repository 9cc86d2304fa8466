"""The expected results, computed in NumPy, and the tolerances within which a result is equal."""
