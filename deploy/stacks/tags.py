"""The tags of the stacks, which CloudFormation copies to their resources: the project's own, and a user's."""

import argparse

PROJECT = "olist-rfm-segments"
"""The tag `project` of what this project makes and starts, by which its costs are found."""

LONGEST_NAME, LONGEST_VALUE = 128, 256


def default_tags(prefix: str, *, cost_centre: str = "") -> dict[str, str]:
    """The tags of every stack, which CloudFormation copies to the resources."""
    return {"project": PROJECT, "prefix": prefix, "cost-centre": cost_centre or prefix}


OWN = tuple(default_tags(""))


def parse_tag(text: str) -> tuple[str, str]:
    """A tag's name and value.

    Raises:
        argparse.ArgumentTypeError: AWS takes no such tag, or the stacks set it themselves.
    """
    name, separator, value = text.partition("=")
    if not separator or not 0 < len(name) <= LONGEST_NAME or len(value) > LONGEST_VALUE or name.startswith("aws:"):
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected NAME=VALUE, NAME of up to {LONGEST_NAME} characters and not of AWS's own (aws:...), "
            f"VALUE of up to {LONGEST_VALUE}"
        )
    if name in OWN:
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected another name than {', '.join(OWN)}, which every stack has; --set CostCentre=VALUE "
            "changes the last one"
        )
    return name, value
