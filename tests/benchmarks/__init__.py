"""Measures pkgsync against independent clients of the same services: ``python -m tests.benchmarks``."""
