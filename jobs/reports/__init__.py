"""The report of a run: one page for the people who decide whom to write to. It reads runs; it writes no table."""
