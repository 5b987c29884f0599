"""A first mapping of a ledger, by its header and a sample of its rows. It maps no rows itself, and starts no Spark."""
