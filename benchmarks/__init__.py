"""How fast it is, against what one would use in its place: the feature step, the checks of the data, the clustering."""
