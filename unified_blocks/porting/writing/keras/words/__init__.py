"""How each operation is written for Keras, in files as the operations are."""
