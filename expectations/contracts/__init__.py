"""One contract per table, and a user's overrides of its rules. No evaluation: `validation` and `gx` do that."""
