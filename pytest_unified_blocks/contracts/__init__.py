"""The promises of a backend, one module for each concern, and how they are checked."""
