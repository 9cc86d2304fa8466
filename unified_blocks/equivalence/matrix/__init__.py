"""The matrix: every case on every backend, recorded apart and compared without a framework."""
