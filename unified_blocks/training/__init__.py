"""Gradients, training steps and epochs, alike on every framework."""
