"""Benchmarks of the feature step, data quality and clustering, against alternatives. No test runs them."""
