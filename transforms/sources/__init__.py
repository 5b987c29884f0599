"""From the tables of a source to canonical transactions: one module per source. No reading of files."""
