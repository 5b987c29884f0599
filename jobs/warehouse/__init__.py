"""The tables of one run in a warehouse: loaded whole or not at all, by one of two engines.

`contents` says what is to be loaded, `address` where to; `redshift` and `in_duckdb` do it, each in one transaction, and
what they do is SQL that the other modules build as text.
"""
