"""Every contract of the project: labels, keys and rules that fit together."""

import pytest

from expectations.contracts.contract import FileContract
from expectations.contracts.olist import CONTRACTS, FILE_CONTRACTS
from transforms import schemas


@pytest.mark.parametrize("contract", FILE_CONTRACTS, ids=lambda contract: contract.table)
def test_the_key_of_a_file_is_the_key_of_its_table(contract: FileContract) -> None:
    assert contract.key == schemas.KEYS[contract.table]


@pytest.mark.parametrize("table", CONTRACTS)
def test_the_rules_of_a_contract_have_different_labels_and_are_compatible_with_its_columns(table: str) -> None:
    contract = CONTRACTS[table]
    labels = [rule.label for rule in contract.rules]
    assert len(labels) == len(set(labels))
    assert [contract.incompatibility(rule) for rule in contract.rules] == [None] * len(labels)
