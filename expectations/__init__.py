"""What good data is: one contract per table, the split of rows into accepted and quarantined, the gate."""
