"""Reading and writing PyTorch files, `.pt` and `.pth`, without unpickling anything."""
