"""What is right, computed in NumPy, and how far from it a result may be."""
