"""One run: its tables, totals, reconciliation checks and manifest. No entry point."""
