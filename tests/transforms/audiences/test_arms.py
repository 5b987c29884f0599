"""Arms: what they depend on, and that nothing else moves a customer."""

import random
from decimal import Decimal
from functools import cache

from scipy.stats import chi2_contingency

from transforms.audiences.arms import CONTROL, TREATMENT, arm_of

KEY = b"0123456789abcdef0123456789abcdef"
TENTH = Decimal("0.1")
IDS = [f"{number:032x}" for number in random.Random(20).sample(range(10**12), 100_000)]


@cache
def in_control(campaign: str, *, key: bytes = KEY, holdout: Decimal = TENTH) -> frozenset[str]:
    return frozenset(each for each in IDS if arm_of(each, campaign=campaign, key=key, holdout=holdout) == CONTROL)


def test_the_draw_is_the_hmac_that_openssl_computes() -> None:
    # printf '6:springann' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
    drawn = int("ab4b6ac568eeb546", 16)
    at, above = Decimal(drawn) / 2**64, Decimal(drawn + 1) / 2**64
    assert arm_of("ann", campaign="spring", key=KEY, holdout=at) == TREATMENT
    assert arm_of("ann", campaign="spring", key=KEY, holdout=above) == CONTROL


def test_of_100_000_customers_the_share_is_held_back_that_was_asked_for() -> None:
    # Of a fair draw, 1 in 10,000 is further off than 3.9 standard deviations.
    for share in (TENTH, Decimal("0.5")):
        deviation = (100_000 * float(share) * (1 - float(share))) ** 0.5
        assert abs(len(in_control("spring", holdout=share)) - 100_000 * float(share)) < 3.9 * deviation


def test_the_arms_of_two_campaigns_and_of_two_keys_are_independent() -> None:
    spring = in_control("spring")
    for other in (in_control("summer"), in_control("spring", key=KEY[::-1])):
        both = len(spring & other)
        table = [
            [both, len(spring) - both],
            [len(other) - both, len(IDS) - len(spring | other)],
        ]
        assert chi2_contingency(table).pvalue > 0.0001


def test_a_larger_holdout_keeps_everybody_back_who_was() -> None:
    assert in_control("spring") < in_control("spring", holdout=Decimal("0.5"))


def test_a_campaign_and_a_customer_are_not_run_together() -> None:
    halves = Decimal("0.5")
    arms = [
        (
            arm_of(f"b{each}", campaign="a", key=KEY, holdout=halves),
            arm_of(each, campaign="ab", key=KEY, holdout=halves),
        )
        for each in IDS[:100]
    ]
    assert len(set(arms)) == 4
