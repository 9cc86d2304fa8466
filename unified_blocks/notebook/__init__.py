"""Notebooks that show one thing on several frameworks, side by side."""
