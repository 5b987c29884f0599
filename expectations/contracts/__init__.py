"""One contract per table, and the user's overrides of its rules. No evaluation: `validation` and `gx` do that."""
