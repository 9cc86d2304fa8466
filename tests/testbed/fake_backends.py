"""Backends of a framework that does not exist, for what needs none."""

from types import SimpleNamespace

ONE = SimpleNamespace(name="fake_one")
TWO = SimpleNamespace(name="fake_two")
