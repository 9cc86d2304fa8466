"""Reading and writing Keras files: `.weights.h5`, and `.keras`, which is only read."""
