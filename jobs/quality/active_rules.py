"""The contracts that a run goes by: those of the project, with a user's own rules over them."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from expectations.contracts.contract import Contract, FileContract
from expectations.contracts.olist import CONTRACTS, FILE_CONTRACTS
from expectations.contracts.overrides import OverridesError, with_overrides
from jobs.cli.config import hash_of
from jobs.errors import ConfigurationError
from jobs.storage.uris import folder_at

CHECKED_BY = "rules_of_checked_tables"
SETTLED_BY = "rules_of_settled_rows"


@dataclass(frozen=True)
class ActiveRules:
    """All contracts, and where they come from.

    Attributes:
        contracts: by table.
        file: the user's file, and its checksum; None for the project's own rules alone.
        sha256: of that file.
    """

    contracts: Mapping[str, Contract]
    file: str | None = None
    sha256: str | None = None

    @property
    def of_files(self) -> list[FileContract]:
        """The contracts of raw tables, in the order in which they are checked."""
        all_of_them = [self.contracts[contract.table] for contract in FILE_CONTRACTS]
        return [contract for contract in all_of_them if isinstance(contract, FileContract)]

    def as_json(self) -> dict[str, Any]:
        """What the manifest says: the file, and a hash of every rule that was in force."""
        rules = {
            table: [{"kind": rule.kind, **asdict(rule)} for rule in contract.rules]
            for table, contract in self.contracts.items()
        }
        return {"file": self.file, "sha256": self.sha256, "hash": hash_of(rules)}


def active_rules(file: str | None) -> ActiveRules:
    """The rules with those of a user's file, if there is one, over them.

    Raises:
        ConfigurationError: There is no such file, or it is no set of rules.
    """
    if file is None:
        return ActiveRules(CONTRACTS)
    text = folder_at(file, argument="--rules").read()
    if text is None:
        raise ConfigurationError(f"--rules {file}: no such file. Check the path, or leave --rules out")
    try:
        contracts = with_overrides(contracts=CONTRACTS, text=text, name=f"--rules {file}")
    except OverridesError as error:
        raise ConfigurationError(str(error)) from None
    return ActiveRules(contracts, file, hashlib.sha256(text.encode()).hexdigest())


def rules_of_settled_rows(settings: Mapping[str, Any], *, but_for: ActiveRules) -> dict[str, Any]:
    """The setting that says by which rules rows came in that a replay takes as they are, where others are in force now.

    Args:
        settings: of the run that is replayed.
        but_for: the rules in force.
    """
    hashes = {*settings.get(SETTLED_BY, ()), settings["rules"]} - {but_for.as_json()["hash"]}
    return {SETTLED_BY: sorted(hashes)} if hashes else {}


def rules_of_checked_tables(settings: Mapping[str, Any], *, but_for: ActiveRules) -> dict[str, Any]:
    """The settings that say by which rules tables were checked, where others are in force now.

    Args:
        settings: of the run whose tables they are; it may have had them from an earlier one.
        but_for: the rules in force.
    """
    checked_by = settings.get(CHECKED_BY, settings["rules"])
    found = {SETTLED_BY: settings[SETTLED_BY]} if SETTLED_BY in settings else {}
    return found if checked_by == but_for.as_json()["hash"] else {CHECKED_BY: checked_by, **found}
