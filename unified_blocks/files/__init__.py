"""Saving a block, or its numbers, to a file, and reading it back."""
