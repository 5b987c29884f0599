"""The rules that a run applies: the contracts of the project, with a user's overrides."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from expectations.contracts.computed import all_contracts
from expectations.contracts.contract import Contract, FileContract
from expectations.contracts.olist import FILE_CONTRACTS
from expectations.contracts.overrides import OverridesError, with_overrides
from jobs.cli.config import hash_of
from jobs.errors import ConfigurationError
from jobs.storage.run_files import Configuration
from jobs.storage.uris import folder_at

CHECKED_TABLES_RULES = "rules_of_checked_tables"
REUSED_ROWS_RULES = "rules_of_settled_rows"
"""Keys of the configuration in a manifest; the second is as release 0.1 wrote it."""


@dataclass(frozen=True)
class ActiveRules:
    """All contracts of a run, and where they come from.

    Attributes:
        contracts: by table.
        file: the user's file of rule overrides; None for the project's contracts as they are.
        sha256: of that file.
    """

    contracts: Mapping[str, Contract]
    file: str | None = None
    sha256: str | None = None

    @property
    def of_files(self) -> list[FileContract]:
        """The contracts of raw tables, in the order in which they are checked."""
        return [contract for contract in self.contracts.values() if isinstance(contract, FileContract)]

    @property
    def hash(self) -> str:
        """A hash of every rule; files that mean the same have the same one."""
        forms = {
            f"{contract.table} columns": {column: asdict(form) for column, form in contract.forms.items()}
            for contract in self.of_files
            if contract.forms
        }
        rules = {
            table: [{"kind": rule.kind, **asdict(rule)} for rule in contract.rules]
            for table, contract in self.contracts.items()
        }
        return hash_of({**rules, **forms})

    def as_json(self) -> dict[str, Any]:
        """The manifest's entry."""
        return {"file": self.file, "sha256": self.sha256, "hash": self.hash}


def active_rules(file: str | None, of_files: Sequence[FileContract] = FILE_CONTRACTS) -> ActiveRules:
    """The contracts of a source and of computed tables, with the overrides of a user's file if there is one.

    Args:
        file: with rule overrides; None for none.
        of_files: the contracts of the source's raw tables, in the order in which they are checked.

    Raises:
        ConfigurationError: There is no such file, or it is no valid set of rule overrides.
    """
    own = all_contracts(of_files)
    if file is None:
        return ActiveRules(own)
    text = folder_at(file, argument="--rules").read()
    if text is None:
        raise ConfigurationError(f"--rules {file}: no such file. Check the path, or leave --rules out")
    try:
        contracts = with_overrides(contracts=own, text=text, name=f"--rules {file}")
    except OverridesError as error:
        raise ConfigurationError(str(error)) from None
    return ActiveRules(contracts, file, hashlib.sha256(text.encode()).hexdigest())


def rules_of_reused_rows(configuration: Configuration, *, unless: ActiveRules) -> dict[str, Any]:
    """Hashes of the rule sets under which reused rows were validated, where other rules are active now.

    Args:
        configuration: that of the replayed run, from its manifest.
        unless: the rules that are active now.
    """
    own = {configuration.rules} if configuration.rules else set()
    hashes = {*(configuration.rules_of_settled_rows or ()), *own} - {unless.hash}
    return {REUSED_ROWS_RULES: sorted(hashes)} if hashes else {}


def rules_of_checked_tables(configuration: Configuration, *, unless: ActiveRules) -> dict[str, Any]:
    """Hashes of the rule sets under which reused tables were checked, where other rules are active now.

    Args:
        configuration: that of the run whose tables they are, from its manifest; it may have reused them too.
        unless: the rules that are active now.
    """
    checked_by = configuration.rules_of_checked_tables or configuration.rules
    settled = configuration.rules_of_settled_rows
    reused = {} if settled is None else {REUSED_ROWS_RULES: settled}
    return reused if checked_by == unless.hash else {CHECKED_TABLES_RULES: checked_by, **reused}
