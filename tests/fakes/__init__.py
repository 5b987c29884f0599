"""Fakes of the AWS services that the code under test calls. They run on this machine, and boto3 reaches them over HTTP.

Each folder is a service. `fixtures` has the fixtures that tests use, and `environment` the account that all fakes
share.

- ``s3``: S3, by moto. Objects, versions, multipart uploads and conditional writes are real. A proxy injects errors and
  lost connections. The fake cannot tell whether IAM allows a request, or how fast S3 is.
- ``redshift``: the Redshift Data API over PostgreSQL. Transactions, serialization failures and the files that COPY
  loads are real. The fake cannot tell the cost of a statement, or the meaning of SQL that sqlglot does not parse.
  Redshift Serverless beside it has usage limits and snapshots, and no warehouse.
- ``sagemaker``: SageMaker with the built-in k-means, and its runtime. The clustering is real, by scikit-learn, and so
  is the model file, in MXNet's layout. The fake cannot tell how well the service clusters, or how long its jobs take.
- ``cloudformation``: stacks and change sets, with rollback. The states are real, and so are the size of a template in
  a request and the object that a template's address names. The fake creates no resource, and cannot tell whether a
  template is valid.
- ``logs``: CloudWatch Logs, with the prefixes of streams and with pages. Nothing writes into it but a test.
- ``glue``, ``emr``, ``step_functions``: jobs that pass through the states that a test scripts (`scripted_jobs`). The
  requests and responses are real. The fakes run no script, and cannot tell whether a job would succeed.
- ``http``: the protocol layer of all services but S3. It validates requests and responses against botocore's models, so
  no fake accepts a request that AWS's published model rejects. It has no TLS and does not verify signatures.

No fake has quotas, prices, latency, or IAM beyond the roles that a test lists. Only a run on AWS shows those.

A test injects faults into calls with ``service.faults`` (`http.faults`), and reads the calls from ``service.calls``. It
injects faults into a batch or a job with the methods of the fake.
"""
