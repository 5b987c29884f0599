"""The fake of SageMaker with the built-in k-means. Other algorithms, and the rest of SageMaker, are not here."""
