"""A training by several processes, or on several devices."""
