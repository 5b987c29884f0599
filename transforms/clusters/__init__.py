"""Clusters: assignments, names, stable ids, drift and the choice of k. No training, no reading or writing."""
