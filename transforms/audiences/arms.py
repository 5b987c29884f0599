"""Who of a campaign is treated and who is held back to compare them with; and whom a list of changes reaches."""

import hmac
from decimal import Decimal
from typing import Literal

Arm = Literal["treatment", "control"]
TREATMENT: Arm = "treatment"
CONTROL: Arm = "control"
ARMS = (TREATMENT, CONTROL)

SHORTEST_KEY = 16
"""Bytes. Who knows the arms of some customers could try out every shorter key."""

DRAWN_BYTES = 8

CAME, LEFT, MOVED, UPDATED = CHANGES = ("came", "left", "moved", "updated")
"""What a customer did from one list to the next. Who came is on the later one alone, and who left on the earlier one.
Who moved is in another segment, and who was updated has another value of a further column."""

WRITTEN_TO = (CAME, MOVED)
"""Who is written to because of a change. Who left is not, and an update is no new reason to."""


def arm_of(customer: str, *, campaign: str, key: bytes, holdout: Decimal) -> Arm:
    """The arm of a customer in a campaign, drawn by a keyed hash (HMAC-SHA-256, RFC 2104).

    It depends on nothing but these arguments: not on the run, the segment, other customers, or their order. So a
    customer stays in the arm when scores are fitted again and when late data arrives. Arms of two campaigns are
    independent. A larger holdout keeps everybody in control who was there, and adds others.

    Args:
        customer: the customer_unique_id.
        campaign: the campaign's name.
        key: a secret of `SHORTEST_KEY` bytes or more. Without it, nobody can tell an arm from an id.
        holdout: the share of customers in control, from 0 to 1.
    """
    # The length keeps "ab" + "c" and "a" + "bc" apart.
    message = f"{len(campaign)}:{campaign}{customer}".encode("utf-8", "surrogatepass")
    drawn = int.from_bytes(hmac.digest(key, message, "sha256")[:DRAWN_BYTES])
    return CONTROL if drawn < holdout * 2 ** (8 * DRAWN_BYTES) else TREATMENT
