"""A run opened in a notebook: its tables in Spark, DuckDB and pandas. No command, and nothing that writes."""
