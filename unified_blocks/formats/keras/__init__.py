"""Files of Keras: `.weights.h5` and `.keras`."""
