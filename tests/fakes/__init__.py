"""Fakes of the services that the code under test calls. boto3 reaches them over HTTP, on this machine alone.

Each folder is a service. `fixtures` has the fixtures that tests use, and `environment` the account that all fakes
share.

- ``s3``: S3. Real are moto's objects, versions, multipart uploads and conditional writes. A proxy injects errors and
  lost connections. It cannot tell whether IAM allows a request, or how fast S3 is.
- ``redshift``: the Redshift Data API. Real are PostgreSQL, its transactions and its serialization failures, and the
  files that COPY loads. It cannot tell what a statement costs, or what Redshift does with SQL that sqlglot does not
  parse.
- ``sagemaker``: SageMaker with the built-in k-means, and its runtime. Real are scikit-learn's clustering and the model
  file in MXNet's layout. It cannot tell how well the service clusters, how long a job takes, or what it costs.
- ``cloudformation``: stacks and change sets, with rollback. It creates no resource and cannot tell whether a template
  is valid.
- ``glue``, ``emr``, ``step_functions``: jobs that pass through the states that a test scripts (`scripted_jobs`). Real
  are their requests and responses. They run no script and interpret no state machine.
- ``http``: the protocol layer of all but S3. Requests and responses are validated against botocore's models, so a fake
  cannot accept a request that AWS's published model rejects. It does not verify signatures and has no TLS.

No fake knows quotas, prices, latency or IAM policies beyond the roles that a test lists. Only a run on AWS can.

Faults of calls are injected with ``service.faults`` (`http.faults`), and ``service.calls`` records the calls. Faults of
a batch or a job are injected with methods of the fake.
"""
