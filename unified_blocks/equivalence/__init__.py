"""Two models held against each other: what they do is watched, aligned, and its cause named."""
