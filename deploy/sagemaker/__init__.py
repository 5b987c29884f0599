"""The verb ``sagemaker``: training and batch transform by the built-in k-means. No Spark clustering."""
