"""A block, or its numbers, in a file."""
