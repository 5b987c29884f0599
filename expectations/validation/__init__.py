"""Contracts applied to frames: rows accepted or quarantined, duplicate keys, counts per rule. No Great Expectations."""
