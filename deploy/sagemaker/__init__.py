"""The verb ``sagemaker``: training and batch transform by SageMaker's built-in k-means. No clustering in Spark."""
