"""What a wrong ledger or a wrong mapping gets: an exit code, one line that helps, and everything else as it was."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs import pipeline, replay
from tests.frames import at
from tests.jobs.ledgers.ledger_runs import ledger_arguments
from tests.log_lines import without_logs

POINTER = '{"run_id": "2018-01-01-before"}\n'
MAPPING = "customer_id_col: who\ndatetime_col: at\nmonetary_value_col: paid\ncurrency: EUR\n"
ROWS = "who,at,paid,coin\nann,2018-01-01 10:00:00,1.00,EUR\nbob,2018-02-01 10:00:00,2.00,USD\n"
RATES = f"{MAPPING}currency_col: coin\nrates: rates.csv\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a ledger and an output that has a current run."""
    (tmp_path / "ledger.csv").write_text(ROWS)
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "current.json").write_text(POINTER)
    return tmp_path


def fails(
    folder: Path,
    capfd: pytest.CaptureFixture[str],
    *arguments: str,
    mapping: str = MAPPING,
    source: str | None = None,
    code: int,
) -> str:
    """Run the pipeline, see that it fails as it should, and return the line it says."""
    command = ledger_arguments(folder, mapping, source or folder / "ledger.csv")
    capfd.readouterr()
    assert pipeline.main([*command, *arguments]) == code
    shown = capfd.readouterr()
    [line] = without_logs(shown.err)
    assert line.startswith("pipeline: ")
    assert len(line) < 1500
    assert shown.out == ""
    assert (folder / "output" / "current.json").read_text() == POINTER
    assert not list((folder / "output").glob("runs/*/manifest.json"))
    return line


WRONG_MAPPINGS = {
    "no such key": (f"{MAPPING}date_col: at\n", "line 5: unknown key 'date_col' (expected one of: customer_id_col"),
    "a key is missing": (MAPPING.replace("currency: EUR\n", ""), "line 1: found no currency, expected it"),
    "no YAML": (f"{MAPPING}keep: {{paid: [1\n", "line 6: "),
    "a key twice": (f"{MAPPING}currency: USD\n", "line 5: "),
    "a list": ("- customer_id_col\n", "line 1: found"),
    "nothing": ("# later\n", "line 1: found nothing, expected a mapping"),
    "another word": (f"{MAPPING}sign: positive\n", "line 5: sign is 'positive': expected"),
    "a contradiction": (f"{MAPPING}returns: net\n", "line 5: returns: net: expected what tells returns"),
    "no time zone": (f"{MAPPING}\ntime_zone: Sao Paulo\n", "line 6: time_zone: found no time zone Sao Paulo"),
    "no format": (f"{MAPPING}datetime_format: day first\n", "line 5: datetime_format is day first: not one of year"),
    "a format that Spark refuses": (
        f"{MAPPING}datetime_format: dd/MMMMM/yyyy\n",
        "line 5: datetime_format is dd/MMMMM/yyyy: not one of",
    ),
    "no text": (f"{MAPPING}keep: {{paid: [yes, 1.50]}}\n", "line 5: keep: found "),
    "a delimiter": (f"{MAPPING}csv:\n  decimal: '.'\n  delimiter: '#'\n", "line 7: delimiter is '#': expected"),
}


@pytest.mark.parametrize("kind", WRONG_MAPPINGS)
def test_a_wrong_mapping_is_refused_with_its_line(folder: Path, capfd: pytest.CaptureFixture[str], kind: str) -> None:
    mapping, says = WRONG_MAPPINGS[kind]
    line = fails(folder, capfd, mapping=mapping, code=2)
    assert f"--mapping {folder / 'mapping.yml'}" in line
    assert says in line


WRONG_RATES = {
    "no header": ("USD,2018-01-01,0.9\n", "line 1: found usd, 2018-01-01, 0.9, expected currency,date,rate"),
    "no date": ("currency,date,rate\nUSD,01.02.2018,0.9\n", "line 2: found USD,01.02.2018,0.9, expected a currency"),
    "twice": ("currency,date,rate\nUSD,2018-01-01,0.9\n\nUSD,2018-01-01,0.9\n", "line 4: a second rate of USD"),
    "zero": ("currency,date,rate\nUSD,2018-01-01,0\n", "line 2: found USD,2018-01-01,0, expected"),
}


@pytest.mark.parametrize("kind", WRONG_RATES)
def test_wrong_rates_are_refused_with_their_line(folder: Path, capfd: pytest.CaptureFixture[str], kind: str) -> None:
    text, says = WRONG_RATES[kind]
    (folder / "rates.csv").write_text(text)
    line = fails(folder, capfd, mapping=RATES, code=2)
    assert f"{folder / 'rates.csv'}, {says}" in line


def test_files_that_are_not_there(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert f"rates {folder / 'rates.csv'}: no such file" in fails(folder, capfd, mapping=RATES, code=2)
    assert "found nothing, expected a file, a folder or table:NAME" in fails(
        folder, capfd, source=str(folder / "ledgers.csv"), code=2
    )
    line = fails(folder, capfd, "--mapping", str(folder / "map.yml"), code=2)
    assert f"--mapping {folder / 'map.yml'}: no such file" in line


@pytest.mark.parametrize("name", ["mapping.yml", "rates.csv"])
def test_a_file_that_is_not_utf_8_is_named(folder: Path, capfd: pytest.CaptureFixture[str], name: str) -> None:
    (folder / "rates.csv").write_bytes("currency,date,rate\nFrçs,2018-01-01,1\n".encode("latin-1"))
    (folder / "latin.yml").write_bytes(f"# à l'unité\n{MAPPING}".encode("latin-1"))
    arguments = ["--mapping", str(folder / "latin.yml")] if name == "mapping.yml" else []
    line = fails(folder, capfd, *arguments, mapping=RATES, code=2)
    assert ("latin.yml" if arguments else "rates.csv") in line


def test_what_does_not_go_together(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    line = fails(folder, capfd, "--order-statuses", "delivered", code=2)
    assert "--order-statuses with a ledger: expected the statuses in its mapping" in line
    line = fails(folder, capfd, "--source", "olist", code=2)
    assert "--mapping without --source ledger" in line
    replayed = [*ledger_arguments(folder, MAPPING, folder / "ledger.csv"), "--replayed-run", "2018-06-30-x"]
    assert replay.main(replayed) == 2
    assert "its rows have no id, expected transaction_id_col in the mapping" in capfd.readouterr().err


def test_a_file_that_is_not_as_the_mapping_says(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = folder / "ledger.csv"
    file.write_text(ROWS.replace("paid", "amount"))
    line = fails(folder, capfd, code=3)
    assert "ledger.csv: no column 'paid' (found: who, at, amount, coin). Correct the mapping, or the file" in line
    file.write_text(ROWS.replace(",", ";"))
    line = fails(folder, capfd, code=3)
    assert "ledger.csv: columns separated by semicolons, expected what the mapping says by csv: delimiter" in line
    file.write_text(ROWS.splitlines()[0])
    assert "ledger.csv: a header and no rows" in fails(folder, capfd, code=3)
    file.write_bytes(b"")
    assert "ledger.csv: empty" in fails(folder, capfd, code=3)


@pytest.mark.usefixtures("spark")
def test_another_currency_without_rates_is_quarantined_and_stops_the_run(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    line = fails(folder, capfd, mapping=f"{MAPPING}currency_col: coin\n", code=3)
    assert "in_set(currency)" in line


@pytest.mark.usefixtures("spark")
def test_an_instant_needs_the_zone_that_it_is_in(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    instants = pa.array([at("2018-01-01 02:30:00")], pa.timestamp("us", tz="UTC"))
    pq.write_table(pa.table({"who": ["ann"], "at": instants, "paid": [1.0]}), folder / "ledger.parquet")
    zone = f"{MAPPING}time_zone: America/Sao_Paulo\n"
    line = fails(folder, capfd, mapping=zone, source=str(folder / "ledger.parquet"), code=2)
    assert "ledger.parquet: at is a timestamp that Spark shows in UTC, expected the zone that it is in" in line
    line = fails(folder, capfd, mapping=MAPPING.replace("who", "whom"), source=str(folder / "ledger.parquet"), code=3)
    assert "no column whom (found: who, at, paid). Correct the mapping" in line


@pytest.mark.usefixtures("spark")
def test_a_table_that_the_catalogue_does_not_have(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    line = fails(folder, capfd, source="table:bank.moves", code=2)
    assert "--input table:bank.moves: Spark's catalogue has no such table (" in line
    assert "expected the name of a table" in fails(folder, capfd, source="table:bank moves", code=2)


@pytest.mark.usefixtures("spark")
def test_a_ledger_of_which_nothing_counts_names_the_causes(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    mapping = f"{MAPPING}keep: {{coin: [EUR]}}\n"
    line = fails(folder, capfd, "--as-of", "2017-12-31", mapping=mapping, code=3)
    assert "no row of the ledger counts as of 2017-12-31: found 2 rows worth 3.00" in line
    assert "(coin not kept: 1 rows worth 2.00; purchased_after_as_of: 1 rows worth 1.00)" in line
