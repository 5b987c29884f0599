"""Recency, frequency and monetary value per customer: measures, score card and feature scale. No clusters."""
