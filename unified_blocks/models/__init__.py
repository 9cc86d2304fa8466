"""What can be asked of any model, made by this library or not."""
