"""Training, feature files, SageMaker artifacts and earlier clusters. The rules are in `transforms.clusters`."""
