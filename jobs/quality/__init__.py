"""Data quality of a run: its active rules and its report. No rule is defined here, and no row is validated."""
