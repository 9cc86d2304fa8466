"""`unified-blocks demo`: the same blocks agree, number for number, on every installed framework."""
