"""Graphs written as source code, one target a room."""
