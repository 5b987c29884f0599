"""Where CloudFormation reads a template: in the request, or in the artifacts bucket if it is too large for that."""

import hashlib
from collections.abc import Mapping
from importlib.resources import as_file

from deploy.aws.files import upload_if_new
from deploy.aws.requests import Aws
from deploy.stacks.stacks import template, template_body

LARGEST_BODY = 51_200
"""Bytes of a template that CloudFormation accepts in a request. In S3 it may have 1 MB."""


def template_source(aws: Aws, name: str, outputs: Mapping[str, str]) -> dict[str, str]:
    """The parameter of a request that has a stack's template. A large one is uploaded first, under a hash of it.

    CloudFormation reads S3 with the caller's rights. The template of the stack `storage`, which makes the bucket, has
    to fit into a request.

    Args:
        aws: the account.
        name: the stack.
        outputs: the outputs of the stacks before it.
    """
    body = template_body(name)
    content = body.encode()
    if len(content) <= LARGEST_BODY:
        return {"TemplateBody": body}
    bucket, key = outputs["ArtifactsBucket"], f"templates/{name}-{hashlib.sha256(content).hexdigest()[:16]}.yaml"
    with as_file(template(name)) as path:
        upload_if_new(aws, path, bucket=bucket, key=key)
    return {"TemplateURL": f"https://{bucket}.s3.{aws.region}.{aws.dns_suffix}/{key}"}
