"""Graphs of MXNet, read into typed nodes: no MXNet is needed."""
