"""Runs in the Glue Data Catalog, for Athena and whoever else reads it: types, tables, partitions. No Spark session."""
