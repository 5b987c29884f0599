"""A run derived again from its own files, in SQL of its own. It writes nothing, and takes no rule from `transforms`."""
