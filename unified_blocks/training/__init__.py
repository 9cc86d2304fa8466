"""Gradients, training steps and epochs, the same on every framework."""
