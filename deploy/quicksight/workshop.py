"""The two files of the workshop's last part, for those who want QuickSight's console: a manifest, and a model's schema.

QuickSight reads CSV through a manifest, and calls every column of it text. It sends rows to a SageMaker model whose
columns a schema file describes. The API has neither step, so a person gives both files to the console.
"""

from collections.abc import Sequence
from typing import Any

FEATURES = ("recency", "frequency", "monetary")
"""The inputs of the model, in the order in which it was trained."""

INSTANCE_TYPE = "ml.m5.large"


def manifest(uris: Sequence[str]) -> dict[str, Any]:
    """The manifest of CSV files without a header.

    Each file is named: a prefix would import whatever else lies there too, such as the ``_SUCCESS`` of Spark.
    The console wants ``containsHeader`` as text.

    Args:
        uris: of the files, in S3.
    """
    return {
        "fileLocations": [{"URIs": list(uris)}],
        "globalUploadSettings": {"format": "CSV", "delimiter": ",", "textqualifier": '"', "containsHeader": "false"},
    }


def model_schema() -> dict[str, Any]:
    """What the k-means model reads and writes, as the workshop has it: "CSV", and both outputs as text."""
    return {
        "inputContentType": "CSV",
        "outputContentType": "CSV",
        "input": [{"name": name, "type": "DECIMAL"} for name in FEATURES],
        "output": [
            {"name": "Predict_cluster", "type": "STRING"},
            {"name": "Predict_distance_to_cluster", "type": "STRING"},
        ],
        "description": "Clusters of customers by recency, frequency and monetary value",
        "version": "v1",
        "instanceCount": 1,
        "instanceTypes": [INSTANCE_TYPE],
        "defaultInstanceType": INSTANCE_TYPE,
    }
