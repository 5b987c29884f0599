"""A bucket with runs, and a database of the Glue Data Catalog."""

import pytest

from jobs.storage.s3 import S3Folder
from tests.fakes.glue.data_catalogue import DataCatalogue
from tests.jobs.registering.catalogued import Lake


@pytest.fixture
def lake(data_catalogue: DataCatalogue, bucket: str) -> Lake:
    """An empty folder of runs."""
    return Lake(S3Folder(bucket, "some/output"), data_catalogue)
