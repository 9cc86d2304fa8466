"""Files of PyTorch: `.pt` and `.pth`, read without unpickling anything."""
