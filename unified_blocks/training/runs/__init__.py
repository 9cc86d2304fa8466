"""How a training survives: what of it is kept, where, and how it goes on."""
