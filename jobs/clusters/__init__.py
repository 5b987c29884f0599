"""Training, feature files, SageMaker artifacts and earlier clusters. No rule: those are in `transforms.clusters`."""
