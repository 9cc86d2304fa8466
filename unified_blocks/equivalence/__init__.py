"""Comparing two models: watch their calls, align them, and name the cause of a difference."""
