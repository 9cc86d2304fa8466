"""What is found out about a graph, or changed in it, before it is written for others."""
