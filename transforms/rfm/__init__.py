"""Recency, frequency and monetary value per customer: measures, score card, scores, segments, reasons. No clusters."""
