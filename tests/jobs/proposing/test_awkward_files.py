"""Names and values that would break YAML, rows that are uneven, and any small file at all."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.contracts.yaml_text import load_yaml
from jobs import ledger
from jobs.proposing.mapping_text import propose
from jobs.proposing.yaml_scalars import flow_list, scalar
from tests.jobs.proposing.exports import CSV_KEYS, KEYS, comment_at, mapping_at, plain, written

AWKWARD = (
    *(
        "Kunde: Nr",
        "Kunde 'a' \"b\"",
        "Kunde #1",
        " customer",
        "customer ",
        "- client",
        "Kundennummer (ü)",
        "cliente\\x",
    ),
    *("customer [a, b]", "customer\u200b", "!customer", "&account", "*client", "customer\tid", "%client", "@client"),
    *("{client}", "client: yes", "customer\x85id", "Customer|>", "?client", "`client`", "client,", "客户 customer"),
)


@pytest.mark.parametrize("name", AWKWARD)
def test_an_awkward_name_is_read_from_the_mapping_as_it_stands_in_the_file(tmp_path: Path, name: str) -> None:
    rows = [("booked: at", name, "amount #"), ("2018-10-17", "c1", "5.00"), ("2018-10-18", "c1", "6.00")]
    mapping = mapping_at(written(tmp_path / "ledger.csv", rows))
    assert mapping["customer_id_col"] == name
    assert (mapping["datetime_col"], mapping["monetary_value_col"]) == ("booked: at", "amount #")


@pytest.mark.parametrize(
    "name", ["null", "Yes", "no", "~", "12", "1e3", "0x1F", "2018-10-17", ".inf", "a b", "", "ü.x"]
)
def test_a_scalar_is_the_same_text_again(name: str) -> None:
    assert plain(load_yaml(f"key: {scalar(name)}\nkeys: {flow_list([name, name])}")) == {
        "key": name,
        "keys": [name, name],
    }


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_text_is_the_same_text_again(text: str) -> None:
    assert str(load_yaml(f"key: {scalar(text)}")["key"]) == text
    assert scalar(text).isprintable()


def test_types_and_statuses_with_signs_of_yaml_are_read_as_they_stand(tmp_path: Path) -> None:
    codes = ["re: fund", "# sale", "'quoted'", '"storno"', "no", "a\x1b[31mb"]
    rows = [("customer", "date", "amount", "type", "status")]
    rows += [("c1", "2018-10-17", "5.00", code, code) for code in codes]
    text = propose(str(written(tmp_path / "ledger.csv", rows)))
    types = plain(load_yaml(text))["types"]
    assert sorted(code for kind in types.values() for code in kind) == sorted(codes)
    assert all(line.isprintable() for line in text.splitlines())


def test_columns_without_a_name_of_their_own_are_not_mapped(tmp_path: Path) -> None:
    rows = [("customer", "date", "Amount", "amount", ""), ("c1", "2018-10-17", "5.00", "6.00", "x")]
    text = propose(str(written(tmp_path / "ledger.csv", rows)))
    assert "Columns without a name of their own cannot be mapped: Amount, amount, (no name)." in text
    assert comment_at(text, "monetary_value_col") == "? no column of amounts: name it"
    assert plain(load_yaml(text))["monetary_value_col"] is None


def test_rows_with_another_number_of_cells_are_counted(tmp_path: Path) -> None:
    rows = [("customer", "date", "amount"), *[("c1", "2018-10-17", "5.00")] * 19, ("c1", "2018-10-17", "5", "00")]
    text = propose(str(written(tmp_path / "ledger.csv", rows)))
    assert "? 5.0% of rows have another number of cells than there are columns." in text


def test_words_for_nothing_among_customers_are_dropped(tmp_path: Path) -> None:
    rows = [("customer", "date", "amount"), ("c1", "2018-10-17", "5.00"), ("NULL", "2018-10-17", "5.00")]
    file = written(tmp_path / "ledger.csv", rows)
    assert mapping_at(file)["drop"] == {"customer": ["NULL"]}
    assert "customer_missing" not in mapping_at(file)
    assert comment_at(propose(str(file)), "drop") == "? rows that name no customer"


ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
KINDS = [
    st.sampled_from(["2018-10-17", "2018-10-18 17:30:18", "2018-10-17T17:30:18Z", "2018-10-17T17:30:18+02:00"]),
    st.sampled_from(["17.10.2018", "03.10.2018", "20181017", "10/11/2018 5:00 PM", "1/2/2018 3:00 AM"]),
    st.sampled_from(["5.00", "-5.00", "0", "1,234.50", "12,50", "-1.234,50", "€ 5", "(3)"]),
    st.sampled_from(["c1", "c2", "C12", "NULL", "536365", ""]),
    st.sampled_from(["EUR", "USD", "refund", "booked", "S", "H", "re: fund", "# x", "'", ""]),
    ANY,
]
NAMES = st.sampled_from(
    [
        *("customer_id", "date", "amount", "type", "status", "currency", "Invoice", "Quantity", "Price", "channel", ""),
        *("Soll", "Haben", "original_id", "id", "time", "Datum: x", "Amount", "5.00"),
    ]
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A small file with usual names and usual cells, and now and then any others."""
    width, rows = draw(st.integers(2, 7)), draw(st.integers(0, 6))
    header = draw(st.lists(NAMES | ANY, min_size=width, max_size=width, unique=draw(st.booleans())))
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=width, max_size=width))
    table = [[draw(kind) for kind in kinds] for _ in range(rows)]
    lines = table if draw(st.integers(0, 9)) == 0 else [header, *table]
    delimiter = draw(st.sampled_from([",", ";", "|", "\t", "  "]))
    text = io.StringIO()
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    if draw(st.booleans()) and len(delimiter) == 1:
        csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(lines)
    else:
        text.write(end.join(delimiter.join(line) for line in lines))
    return text.getvalue().encode(draw(st.sampled_from(["utf-8", "utf-8", "windows-1252"])), errors="replace")


@given(content=st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_give_a_mapping_that_loads_or_one_line(
    content: bytes, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    assert_mapping_or_one_line(content, tmp_path_factory.getbasetemp(), capsys)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=files())
def test_any_file_gives_a_mapping_that_loads_or_one_line(
    content: bytes, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    assert_mapping_or_one_line(content, tmp_path_factory.getbasetemp(), capsys)


def assert_mapping_or_one_line(content: bytes, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "any-ledger.csv"
    file.write_bytes(content)
    code = ledger.main(["propose", str(file)])
    shown = capsys.readouterr()
    if code == 0:
        mapping = plain(load_yaml(shown.out))
        assert set(mapping) <= KEYS
        assert set(mapping.get("csv", {})) <= CSV_KEYS
        assert shown.err == ""
    else:
        assert code in (2, 3)
        assert shown.out == ""
        [line] = shown.err.splitlines()
        assert line.startswith("ledger: any-ledger.csv: ")
        assert line.isprintable()
