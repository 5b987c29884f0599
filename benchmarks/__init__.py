"""Benchmarks of all steps, the feature step, data quality and clustering, against alternatives.

No test measures time. Tests compare the results of the peers, and check how figures are read and shown.
"""
