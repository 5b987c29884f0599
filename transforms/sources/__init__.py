"""From the tables of a source to transactions: one module per source. No reading of files."""
