"""The equivalence matrix: each backend is recorded in its own process, and records are compared."""
