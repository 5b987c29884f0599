"""A run's clusters: training, assignments, files and description. No matching: that is in `transforms.clusters`."""
