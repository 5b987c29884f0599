"""Clusters of customers: trained, chosen in number, matched to the last run's, and how far they moved."""

SEED = 42
"""Of every random choice, as in the workshop."""
