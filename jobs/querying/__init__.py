"""Tables of runs as views in DuckDB, from a disk and from S3. No Spark, and nothing of what a query looks for."""
