"""Deliberate mistakes, and random networks without any."""
