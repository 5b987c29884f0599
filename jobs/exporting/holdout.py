"""Who is held back: the share, the campaign, and the key that arms are drawn with."""

import argparse
import hmac
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal

from jobs.audiences.audience import Holdout
from jobs.errors import ConfigurationError, reason_of
from jobs.storage.local import open_regular
from jobs.storage.uris import local_path
from transforms.audiences.arms import SHORTEST_KEY, Arm, arm_of
from transforms.bounded_text import shown

HOLDOUT_KEY = "HOLDOUT_KEY"
"""The environment variable with the key, where no file is named."""

LONGEST_KEY, LONGEST_CAMPAIGN = 4096, 200
SHARE = re.compile(r"([0-9]{1,2}(?:\.[0-9]{1,4})?)%|(0?\.[0-9]{1,6})")
KEY_ID_DIGITS = 16
MAKE_ONE = "(umask 077; head -c 32 /dev/urandom | base64 > key.txt) makes one"


@dataclass(frozen=True)
class Draw:
    """How arms are drawn in a campaign.

    Attributes:
        campaign: its name.
        share: of all customers, in control.
        key: the secret; never shown.
    """

    campaign: str
    share: Decimal
    key: bytes = field(repr=False)

    def arms(self, customers: Sequence[str]) -> list[Arm]:
        """The arm of each customer."""
        return [arm_of(each, campaign=self.campaign, key=self.key, holdout=self.share) for each in customers]

    def record(self) -> Holdout:
        """What ``audience.json`` says of it: nothing from which the key could be told."""
        key_id = hmac.digest(self.key, b"key id", "sha256").hex()[:KEY_ID_DIGITS]
        return Holdout(share=self.share, key_id=key_id)


def share_held_back(text: str) -> Decimal:
    """The ``type`` of ``--holdout``: 10%, or 0.1."""
    match = SHARE.fullmatch(text.strip())
    share = Decimal(0)
    if match:
        share = Decimal(match[1]) / 100 if match[1] else Decimal(match[2])
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a share between 0 and 1, such as 10% or 0.1")
    return share.normalize()


def campaign_name(text: str) -> str:
    """The ``type`` of ``--campaign``."""
    if not text.strip() or text != text.strip() or not text.isprintable() or len(text) > LONGEST_CAMPAIGN:
        raise argparse.ArgumentTypeError(
            f"{shown(text)}: expected a name of 1 to {LONGEST_CAMPAIGN} printable characters, without blanks around it"
        )
    return text


def read_key(file: str | None) -> bytes:
    """The key from a file, or else from the environment. One line break at its end does not count.

    Raises:
        ConfigurationError: There is none, it cannot be read, or it is too short. No message has a part of it.
    """
    if file is None:
        text = os.environ.get(HOLDOUT_KEY)
        if not text:
            raise ConfigurationError(
                f"--holdout: found no key, expected --holdout-key FILE or the environment variable {HOLDOUT_KEY}. "
                f"Keep it: without it nobody can draw the same arms again. {MAKE_ONE}"
            )
        if _names_a_file(text):
            raise ConfigurationError(
                f"the environment variable {HOLDOUT_KEY}: found the name of a file, expected the key itself. Name the "
                f"file with --holdout-key, and unset {HOLDOUT_KEY}"
            )
        return _checked(os.fsencode(text), place=f"the environment variable {HOLDOUT_KEY}")
    place = f"--holdout-key {file}"
    try:
        with open_regular(local_path(file)) as content:
            return _checked(content.read(LONGEST_KEY + 1), place=place)
    except OSError as error:
        raise ConfigurationError(f"{place}: cannot be read ({reason_of(error)}). {MAKE_ONE}") from None
    except ValueError as error:
        raise ConfigurationError(f"{place}: {error}, expected a file on this machine") from None


def _names_a_file(text: str) -> bool:
    with suppress(OSError, ValueError):  # too long for a name, for instance
        return local_path(text.rstrip("\r\n")).exists()
    return False


def _checked(content: bytes, *, place: str) -> bytes:
    key = re.sub(rb"\r?\n\Z", b"", content)
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise ConfigurationError(
            f"{place}: found a key of {len(key):,} bytes, expected {SHORTEST_KEY} to {LONGEST_KEY:,}. {MAKE_ONE}"
        )
    return key
