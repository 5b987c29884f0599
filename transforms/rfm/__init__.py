"""Recency, frequency and monetary per customer: measures, score card and feature scale. No clustering."""
