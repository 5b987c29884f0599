"""What a run says of the rules that it went by, and what it makes of a file of rules that is none."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from expectations.contracts.ledger import ledger_contract
from expectations.contracts.olist import CONTRACTS
from expectations.rules import Between
from jobs import ingest, pipeline
from jobs.errors import ConfigurationError
from jobs.quality.active_rules import ActiveRules, active_rules, rules_of_checked_tables, rules_of_reused_rows
from jobs.storage.run_files import Configuration
from tests.log_lines import without_logs
from transforms.rates import Rates
from transforms.sources.mapping import LedgerMapping

MINE = "payments:\n  change:\n    between(payment_value): {high: 50000}\n"
SHA256_OF_MINE = "bc44184a9f17350dd90d5fa9d5b69bda450c7bec2383da6389e75e25828b9a25"
"""As `sha256sum` has it."""


@pytest.fixture
def rules_from(tmp_path: Path) -> Callable[[str], ActiveRules]:
    """The rules that are in force with a file that says this."""

    def of(text: str) -> ActiveRules:
        file = tmp_path / "mine.yml"
        file.write_text(text, encoding="utf-8")
        return active_rules(str(file))

    return of


def hash_of(rules: ActiveRules) -> str:
    actual = rules.as_json()["hash"]
    assert isinstance(actual, str)
    return actual


def test_without_a_file_the_contracts_are_active_as_they_are() -> None:
    ours = active_rules(None)
    assert ours.contracts == CONTRACTS
    shown = ours.as_json()
    assert (shown["file"], shown["sha256"]) == (None, None)
    assert len(shown["hash"]) == 16
    assert shown == active_rules(None).as_json()


def test_a_file_is_named_with_its_checksum_and_its_rules_are_active(tmp_path: Path) -> None:
    file = tmp_path / "mine.yml"
    file.write_text(MINE, encoding="utf-8")
    rules = active_rules(str(file))
    shown = rules.as_json()
    assert (shown["file"], shown["sha256"]) == (str(file), SHA256_OF_MINE)
    assert shown["hash"] != active_rules(None).as_json()["hash"]
    assert [contract.table for contract in rules.of_files] == ["customers", "orders", "payments"]
    changed = Between("payment_value", low=0, high=50000, null_passes=True)
    assert rules.of_files[2].rule("between(payment_value)") == changed
    assert active_rules(file.as_uri()).as_json()["hash"] == shown["hash"]


@pytest.mark.parametrize(
    "same",
    [
        "# The bank's limit.\npayments:\n\n  change:\n    between(payment_value):\n      high: 50_000\n",
        '{"payments": {"change": {"between(payment_value)": {"high": 50000}}}}',
        MINE + "rfm:\n  change:\n    between(recency): {high: 5}\n",
        "payments:\n  change:\n    between(payment_sequential): {low: 1}\n    between(payment_value): {high: 50000}\n",
    ],
    ids=["remarks and layout", "JSON, which is YAML", "what is so already", "the place of what is so already"],
)
def test_files_that_mean_the_same_have_one_hash(rules_from: Callable[[str], ActiveRules], same: str) -> None:
    mine, theirs = rules_from(MINE), rules_from(same)
    assert hash_of(mine) == hash_of(theirs)
    assert mine.sha256 != theirs.sha256


def test_the_order_of_changes_and_of_tables_does_not_matter(rules_from: Callable[[str], ActiveRules]) -> None:
    value, number = "    between(payment_value): {high: 5}\n", "    between(payment_sequential): {high: 9}\n"
    rfm = "rfm:\n  change:\n    between(recency): {severity: warn}\n"
    one_way = rules_from(f"payments:\n  change:\n{value}{number}{rfm}")
    other_way = rules_from(f"{rfm}payments:\n  change:\n{number}{value}")
    assert hash_of(one_way) == hash_of(other_way)


def test_rules_that_differ_in_anything_have_hashes_of_their_own(rules_from: Callable[[str], ActiveRules]) -> None:
    set_of_types = "payments:\n  change:\n    in_set(payment_type): "
    texts = (
        MINE,
        MINE.replace("50000", "50001"),
        MINE.replace("high: 50000", "low: 1"),
        MINE.replace("{high: 50000}", "{severity: warn}"),
        MINE.replace("{high: 50000}", "{null_passes: false}"),
        set_of_types + "{values: [pix]}\n",
        set_of_types + "{values: [pix, boleto]}\n",
        "payments:\n  add:\n    - {kind: not_null, column: payment_type}\n",
        "payments:\n  add:\n    - {kind: not_null, column: payment_type, severity: stop}\n",
        "customers:\n  change:\n    matches(customer_id): {pattern: '^x'}\n",
        "customers:\n  change:\n    matches(customer_unique_id): {pattern: '^x'}\n",
    )
    hashes = [hash_of(active_rules(None)), *[hash_of(rules_from(text)) for text in texts]]
    assert len(set(hashes)) == len(hashes)


def test_the_hash_of_a_ledgers_rules_has_the_checksum_of_its_rates_whatever_object_holds_them() -> None:
    mapping = LedgerMapping("who", "at", "amount", "EUR", currency_col="code", rates="rates.csv")

    def hash_of_rates(usd: str, sha256: str) -> str:
        rates = Rates("EUR", date(2018, 1, 1), {"USD": [Decimal(usd)]}, sha256)
        return ActiveRules({"ledger": ledger_contract(mapping, rates)}).hash

    assert hash_of_rates("0.5", "ab") == hash_of_rates("0.5", "ab") != hash_of_rates("0.6", "cd")


def no_file(_folder: Path) -> None:
    """There is nothing at all."""


def a_folder(path: Path) -> None:
    path.mkdir()


def no_text(path: Path) -> None:
    path.write_bytes(b"payments: \xff\n")


def no_rules(path: Path) -> None:
    path.write_text("payments:\n  drop: 1\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (no_file, "--rules {path}: no such file. Check the path, or leave --rules out"),
        (a_folder, "{path}: cannot be read as text"),
        (no_text, "{path}: cannot be read as text"),
        (no_rules, "--rules {path}, line 2: found 'drop', expected change, add or columns"),
    ],
)
def test_an_invalid_file_of_rule_overrides_is_a_configuration_error(
    tmp_path: Path, make: Callable[[Path], None], says: str
) -> None:
    path = tmp_path / "mine.yml"
    make(path)
    with pytest.raises(ConfigurationError) as error:
        active_rules(str(path))
    assert str(error.value).startswith(says.format(path=path))
    assert error.value.exit_code == 2


def test_a_place_that_is_not_served_is_named() -> None:
    with pytest.raises(
        ConfigurationError, match=r"^--rules ftp://rules/mine.yml: found ftp://, expected a local folder"
    ):
        active_rules("ftp://rules/mine.yml")


@pytest.mark.parametrize(
    ("main", "arguments"),
    [(pipeline.main, ["--input", "."]), (ingest.main, ["--input", "."])],
    ids=["pipeline", "ingest"],
)
def test_every_program_ends_with_2_and_one_line_before_anything_is_written(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], main: Callable[[Sequence[str]], int], arguments: list[str]
) -> None:
    output, file = tmp_path / "output", tmp_path / "mine.yml"
    assert main(["--as-of", "2018-06-30", "--output", str(output), "--rules", str(file), *arguments]) == 2
    [line] = without_logs(capfd.readouterr().err)
    assert f"--rules {file}: no such file" in line
    assert not output.exists()


def test_the_rules_that_checked_the_tables_are_recorded_where_other_rules_are_active() -> None:
    now = active_rules(None)
    today = hash_of(now)
    assert rules_of_checked_tables(Configuration(rules=today), unless=now) == {}
    assert rules_of_checked_tables(Configuration(rules="a"), unless=now) == {"rules_of_checked_tables": "a"}
    # They may have come to that run from an earlier one, or by a replay.
    handed_on = Configuration(rules=today, rules_of_checked_tables="a", rules_of_settled_rows=["b"])
    handed_on_again = {"rules_of_checked_tables": "a", "rules_of_settled_rows": ["b"]}
    assert rules_of_checked_tables(handed_on, unless=now) == handed_on_again
    assert rules_of_reused_rows(Configuration(rules=today), unless=now) == {}
    assert rules_of_reused_rows(Configuration(rules="c", rules_of_settled_rows=["b"]), unless=now) == {
        "rules_of_settled_rows": ["b", "c"]
    }
