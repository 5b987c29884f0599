"""docs/data-quality.md is true: its rules are those of the contracts, its files load, and its example is a run's."""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from expectations.contracts.contract import Contract, FileContract
from expectations.contracts.olist import CONTRACTS, FILE_CONTRACTS
from expectations.contracts.overrides import ADDABLE, with_overrides
from expectations.gx.gate import MAX_DETAILED, MAX_EXAMPLES
from expectations.rules import Between, InSet, Matches, NotNull, ParsesAs, RefersTo, Rule
from expectations.rules.cell_forms import WORDS_FOR_NOTHING, ColumnForm
from jobs import pipeline
from jobs.cli.argument_types import MAX_QUARANTINED
from jobs.quality.report import DATA_DOCS
from tests.fakes.gate import real_gate
from tests.raw_files import RawFiles

DOCS = (Path(__file__).parent.parent / "docs" / "data-quality.md").read_text(encoding="utf-8")
FILES = re.findall(r"^```yaml\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)
[PAYMENTS] = re.findall(r"^```csv\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)
[EXAMPLE] = re.findall(r"^```json\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)
[LINE] = re.findall(r"^    pipeline: (the data .*)$", DOCS, re.MULTILINE)

NAME = "2018-06-30-doctored"


def section(heading: str) -> str:
    """The text under a heading, up to the next one of any level."""
    _, separator, rest = DOCS.partition(f"\n{heading}\n")
    assert separator, heading
    return re.split(r"^##", rest, maxsplit=1, flags=re.MULTILINE)[0]


def without_value(rule: Rule) -> str:
    """Whether a rule passes or fails a row without a value, if it is about a column."""
    match rule:
        case NotNull():
            return "fails"
        case ParsesAs() | RefersTo():
            return "passes"
    passes = getattr(rule, "null_passes", None)
    return "" if passes is None else "passes" if passes else "fails"


def rules_of(contract: Contract) -> list[str]:
    """The lines of the docs for a contract."""
    cells = [(f"`{rule.label}`", rule.severity, rule.expectation, without_value(rule)) for rule in contract.rules]
    return [f"| {' | '.join(row)} |".replace("|  |", "| |") for row in cells]


@pytest.mark.parametrize("table", CONTRACTS)
def test_the_rules_of_a_table_are_those_of_its_contract(table: str) -> None:
    lines = [line for line in section(f"### {table}").splitlines() if line.startswith("|")]
    assert lines[:2] == ["| rule | severity | expected | no value |", "|---|---|---|---|"]
    assert lines[2:] == rules_of(CONTRACTS[table])


def test_every_contract_has_a_section() -> None:
    assert re.findall(r"^### (\w+)$", DOCS, re.MULTILINE) == list(CONTRACTS)


def changed_by(text: str) -> dict[str, set[str]]:
    """The labels of the rules that a file changes or adds, by table."""
    overridden = with_overrides(contracts=CONTRACTS, text=text, name="docs")
    return {
        table: {rule.label for rule in overridden[table].rules if rule not in contract.rules}
        for table, contract in CONTRACTS.items()
        if overridden[table] is not contract
    }


def test_the_example_of_columns_declares_each_of_its_lines() -> None:
    overridden = with_overrides(contracts=CONTRACTS, text=FILES[0], name="docs")
    declared = {
        (table, column): form
        for table, contract in overridden.items()
        if isinstance(contract, FileContract)
        for column, form in contract.forms.items()
    }
    assert declared == {
        ("customers", "customer_zip_code_prefix"): ColumnForm(pad_zeros_to=5),
        ("customers", "customer_city"): ColumnForm(may_be_missing=True),
        ("orders", "order_purchase_timestamp"): ColumnForm(format="M/d/yyyy H:mm"),
        ("orders", "order_approved_at"): ColumnForm(may_be_missing=True),
        ("payments", "payment_sequential"): ColumnForm(may_be_missing=True),
    }


def test_every_word_for_no_value_is_documented() -> None:
    [row] = [line for line in section("## The forms that are read").splitlines() if line.startswith("| word for no")]
    assert tuple(re.findall(r"`(.*?)`", row)) == WORDS_FOR_NOTHING


def test_the_example_of_overrides_loads_and_each_of_its_lines_has_an_effect() -> None:
    assert changed_by(FILES[1]) == {
        "customers": {"matches(customer_zip_code_prefix)"},
        "orders": {
            "between(order_purchase_timestamp)",
            "in_set(order_status)",
            "not_after(order_approved_at, order_delivered_customer_date)",
            "null_share_at_most(order_approved_at)",
        },
        "payments": {
            "between(payment_value)",
            "in_set(payment_type)",
            "not_null(payment_type)",
            "mean_between(payment_value)",
        },
        "rfm": {"between(total_value)"},
    }


def test_the_file_for_other_data_changes_every_rule_about_the_content_of_olist() -> None:
    def is_olists(rule: Rule) -> bool:
        is_a_limit = rule.label in ("between(order_purchase_timestamp)", "between(payment_value)")
        return isinstance(rule, Matches | InSet) or (isinstance(rule, Between) and is_a_limit)

    of_olist = {
        contract.table: {rule.label for rule in contract.rules if is_olists(rule)} for contract in FILE_CONTRACTS
    }
    assert changed_by(FILES[2]) == of_olist
    assert len(FILES) == 3


def test_every_kind_that_can_be_added_is_documented_with_its_fields() -> None:
    kinds = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", section("## Rules of your own"), re.MULTILINE))
    assert list(kinds) == list(ADDABLE)
    documented = {kind: set(re.findall(r"`(\w+)`", names)) for kind, names in kinds.items()}
    # Every kind has a severity, and only a run sets `of`.
    rest = {"severity", "of"}
    assert documented == {kind: {field.name for field in fields(rule)} - rest for kind, rule in ADDABLE.items()}


def test_the_limits_are_those_of_the_code() -> None:
    assert f"`--max-quarantined {MAX_QUARANTINED}`" in section("## The budget")
    assert f"at most {MAX_DETAILED} failed expectations" in section("## Data Docs")
    assert f"at most {MAX_EXAMPLES} examples" in section("## quality.json")
    assert f"/{DATA_DOCS}`" in section("## Data Docs")


@pytest.fixture(scope="module")
def doctored(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The run of the example: its folder, and the output folder."""
    assert spark is not None
    raw = RawFiles(tmp_path_factory.mktemp("docs") / "input")
    raw.customers[3] = raw.customers[3].replace(",BA", ",XX")
    raw.write()
    header = raw.payments_file.read_text(encoding="utf-8").splitlines(keepends=True)[0]
    raw.payments_file.write_text(header + PAYMENTS, encoding="utf-8")
    output = raw.folder.parent / "output"
    arguments = ["--as-of", "2018-06-30", "--input", str(raw.folder), "--output", str(output), "--run-id", NAME]
    with real_gate():
        assert pipeline.main(arguments) == 3
    return output / "runs" / NAME, str(output)


def content_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "quality.json").read_text(encoding="utf-8"))
    return content


def test_the_example_is_what_a_run_writes(doctored: tuple[Path, str]) -> None:
    written, shown = content_of(doctored[0]), json.loads(EXAMPLE)
    assert re.fullmatch("[0-9a-f]{16}", shown["rules"].pop("hash"))
    written["rules"].pop("hash")
    written["tables"] = {"payments": written["tables"]["payments"]}
    for content in (written, shown):
        assert content["tables"]["payments"].pop("gate_seconds") > 0
    # The docs leave out the rules that passed, and say so.
    payments = written["tables"]["payments"]
    payments["rules"] = [rule for rule in payments["rules"] if not rule["passed"]]
    assert shown == written
    assert list(shown) == list(written)


def test_the_line_on_stderr_and_the_files_left_are_as_shown(doctored: tuple[Path, str]) -> None:
    folder, output = doctored
    failure = json.loads((folder / "failure.json").read_text(encoding="utf-8"))
    assert failure["error"].replace(output, "output") == LINE
    left = re.findall(r"^    ([\w./]+)(?: {2,}.*)?$", section("## What stops a run"), re.MULTILINE)
    assert sorted(left) == sorted(path.name for path in folder.iterdir())
    assert not Path(output, "current.json").exists()


def test_every_field_is_documented(doctored: tuple[Path, str]) -> None:
    documented = set(re.findall(r"^\| `([\w.]+)` \|", section("## quality.json"), re.MULTILINE))
    content = content_of(doctored[0])
    tables = content["tables"].values()
    written = {name for name in content if name != "rules"}
    written |= {f"rules.{name}" for name in content["rules"]}
    written |= {f"tables.{name}" for table in tables for name in table}
    written |= {f"tables.rules.{name}" for table in tables for rule in table["rules"] for name in rule}
    # No failed rule of the example is about a whole table, no cell stood in another form, and no rule blanks.
    assert documented == {*written, "tables.rules.found", "tables.other_forms", "tables.rows_blanked"}
