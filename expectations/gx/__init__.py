"""Great Expectations: the gate over each table, and Data Docs. No rule is defined here."""
