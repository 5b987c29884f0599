"""How fast the feature step is, against what one would use in its place; see `feature_step`."""
