"""One run: its tables, totals, reconciliation checks, provenance and manifest. No entry point."""
