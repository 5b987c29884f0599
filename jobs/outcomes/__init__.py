"""The validation inside a run: scores as of an earlier day, and what customers did after it. It writes no table."""
