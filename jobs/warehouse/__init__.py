"""Loads the tables of one run, or an exported audience, into DuckDB or Redshift, in one transaction.

Holds no business rule and no Spark session. `target` says where the warehouse is, and `load_plan` and `members` what
goes into it. `duckdb` and `redshift` run the load.
"""
