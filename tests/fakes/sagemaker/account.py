"""An AWS account as SageMaker sees it: a region, a number, roles that it may assume, and images that it may pull."""

from dataclasses import dataclass

from tests.fakes.http.faults import invalid

KMEANS_REGISTRIES = {
    "us-east-1": "382416733822",
    "us-east-2": "404615174143",
    "us-west-2": "174872318107",
    "eu-west-1": "438346466558",
    "eu-central-1": "664544806723",
}
"""Whose registry has the built-in k-means, by region (as in the SageMaker SDK's ``image_uri_config/kmeans.json``)."""


@dataclass(frozen=True)
class Account:
    """Where resources are made."""

    region: str
    roles: frozenset[str]
    number: str = "123456789012"

    def arn(self, kind: str, name: str) -> str:
        """The name that a resource has in the world."""
        return f"arn:aws:sagemaker:{self.region}:{self.number}:{kind}/{name}"

    def check_role(self, role: str | None) -> None:
        """Refuse a role that was not told of."""
        if role not in self.roles:
            raise invalid(
                f"Could not assume role {role}. Please ensure that the role exists and allows principal "
                "'sagemaker.amazonaws.com' to assume the role."
            )

    def check_image(self, image: str | None) -> None:
        """Refuse an image that is not the built-in k-means of this region."""
        expected = f"{KMEANS_REGISTRIES[self.region]}.dkr.ecr.{self.region}.amazonaws.com/kmeans"
        if image not in (f"{expected}:1", f"{expected}:latest"):
            raise invalid(f"Cannot find repository of image {image} (the stand-in knows {expected}:1)")
