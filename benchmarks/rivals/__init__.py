"""What other tools make of the same: scripts that install them in environments of their own."""
