"""What good data is: one contract per table, and the split of rows into accepted and quarantined."""
