"""Services that stand in for AWS in tests: real HTTP, real SQL, real clustering, on this machine alone.

What a test asks for (`fixtures`), and what is behind it:

    aws         the environment in which plain ``boto3.client(...)`` reaches the stand-ins
    s3, bucket  S3 by moto, and an empty bucket in it
    data_api    the Redshift Data API (`data_api`) over PostgreSQL, with `translation` and `copy_load`
    database    that PostgreSQL's connection string, for a reader beside the code under test
    sagemaker   SageMaker with the built-in k-means (`sagemaker`) and its runtime

Faults of a service as a whole are ``data_api.service.faults`` and ``sagemaker.service.faults`` (`faults`); what it was
asked is in ``.service.calls``. Faults of a batch or a job are methods of ``data_api`` and ``sagemaker``.
"""
