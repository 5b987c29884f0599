"""A validation inside a run: the figures that DuckDB counts too, with which card, and where they are stated."""

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from jobs import features
from jobs.cli.config import FeaturesConfig
from jobs.errors import ConfigurationError
from jobs.inputs.score_cards import ScoringChoice
from jobs.inputs.segment_maps import load_maps
from jobs.outcomes import validating
from jobs.outcomes.validating import NotValidated, older_card, scoring_at_the_cut, validate
from jobs.scores.planning import plan_scoring
from jobs.sources.olist import OlistSource
from jobs.storage.store import RunStore
from tests.fakes.page import real_report
from tests.jobs.published import FIRST, Runs
from tests.jobs.reports.pages import Page
from tests.jobs.shop import AS_OF
from transforms.rfm.score_card import ScoreCard
from transforms.rfm.sufficiency import Sufficiency

DAYS = 105
CUT = AS_OF - timedelta(days=DAYS)

COUNTED = """
with scored as (
    select customer_unique_id, date_diff('day', max(order_purchase_time)::date, date '{cut}') as days,
        count(*) purchases, sum(value) spent
    from purchases where order_purchase_time::date <= date '{cut}' group by all
), later as (
    select customer_unique_id, sum(value) revenue
    from purchases where order_purchase_time::date > date '{cut}' group by all
)
select {r} as r, {f} as f, {m} as m, count(*) customers, count(later.customer_unique_id) repeat_buyers,
    coalesce(sum(revenue), 0) revenue
from scored left join later using (customer_unique_id) group by all
"""


def add(runs: Runs, *arguments: str) -> dict[str, Any]:
    """The entry of a run of the feature step over the shop."""
    options = ["--output", str(runs.output), "--checked-run", FIRST, "--as-of", str(AS_OF), "--kmeans", "spark"]
    assert features.main([*options, *arguments]) == 0
    entry: dict[str, Any] = runs.manifest["validation"]
    return entry


def score_in_sql(column: str, bands: dict[str, Any]) -> str:
    cases = zip(bands["cut_points"], bands["scores"], strict=False)
    return (
        f"case {' '.join(f'when {column} <= {at} then {score}' for at, score in cases)} else {bands['scores'][-1]} end"
    )


def counted_by_duckdb(runs: Runs, entry: dict[str, Any]) -> dict[str, tuple[int, int, Decimal]]:
    """Customers, repeat buyers and revenue of each segment that has customers, by its code."""
    bands = entry["card"]["scores"]
    scores = {
        letter: score_in_sql(column, bands[letter]) if bands[letter]["cut_points"] else str(bands[letter]["scores"][0])
        for letter, column in (("r", "days"), ("f", "purchases"), ("m", "spent"))
    }
    segment_map = run_card(runs).scored_by.segment_map
    assert entry["card"]["segment_map"] == {"name": segment_map.name, "hash": segment_map.hash}
    counts: dict[str, tuple[int, int, Decimal]] = {}
    with duckdb.connect() as connection:
        path = runs.output / runs.manifest["tables"]["purchases"] / "*.parquet"
        connection.execute(f"create view purchases as from read_parquet('{path}')")
        for *cell, customers, buyers, revenue in connection.execute(COUNTED.format(cut=CUT, **scores)).fetchall():
            code = segment_map.by_cell[cell[0], cell[1], cell[2]].code
            before = counts.get(code, (0, 0, Decimal(0)))
            counts[code] = (before[0] + customers, before[1] + buyers, before[2] + revenue)
    return counts


def run_card(runs: Runs) -> ScoreCard:
    return ScoreCard.from_json((runs.output / runs.manifest["score_card"]["file"]).read_text())


@pytest.mark.usefixtures("spark")
def test_a_validation_has_the_figures_of_another_engine_and_its_run_hands_them_on(
    runs: Runs, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    without = runs.manifest
    assert "validation" not in without
    with real_report():
        entry = add(runs, "--validate-days", str(DAYS))
    check_figures(runs, entry)
    check_run(without, runs.manifest)
    check_summary(capfd.readouterr().out)
    check_page(Page((runs.output / "runs" / runs.pointer["run_id"] / "report.html").read_text()))
    # Clusters of these customers take it over.
    runs.add("--k", "3")
    assert runs.manifest["job"] == "segments"
    assert runs.manifest["validation"] == entry
    check_older_card(runs, tmp_path)


def check_figures(runs: Runs, entry: dict[str, Any]) -> None:
    """Fifteen weeks ago, the second and the third group had bought. All of the third did so again, and the first first.

    The second pays 60 and more and the third 400 and more, so both have bands of money of their own.
    """
    assert (entry["days"], entry["cut"], entry["card"]["origin"]) == (DAYS, str(CUT), "fitted")
    assert (entry["customers"], entry["repeat_buyers"], entry["repeat_rate"]) == (60, 30, 0.5)
    by_code = {
        each["code"]: (each["customers"], each["repeat_buyers"], Decimal(each["revenue"]))
        for each in entry["segments"]
        if each["customers"]
    }
    assert by_code == counted_by_duckdb(runs, entry)
    # Each of the first group paid 40, the place in the group modulo 5, and the number in cents, of 0, 3 ... 87.
    paid = 30 * 40 + 6 * (0 + 1 + 2 + 3 + 4) + sum(range(0, 90, 3)) / Decimal(100)
    assert entry["new_customers"] == {"customers": 30, "revenue": f"{paid:.4f}"}
    assert Decimal(entry["revenue_of_all"]) == Decimal(entry["revenue"]) + paid
    # Those who bought again are all nearer than those who did not: 5 weeks before the cut at most, and 35.
    assert entry["gini"]["recency"]["value"] == 1


def check_run(without: dict[str, Any], manifest: dict[str, Any]) -> None:
    """See that the rows and their configuration are those of a run without, and that the sides of the cut add up."""
    assert {table: total["rows"] for table, total in rfm_and_purchases(manifest).items()} == {
        table: total["rows"] for table, total in rfm_and_purchases(without).items()
    }
    assert "validate_days" not in manifest["configuration"]
    parts = {each.get("part"): each for each in manifest["totals"] if each["kind"] == "validated"}
    sides = ["up_to_the_cut", *[f"later_ones_of_{whose}_customers" for whose in ("scored", "new", "other")]]
    assert sum(parts[side]["rows"] for side in sides) == rfm_and_purchases(manifest)["purchases"]["rows"]
    assert [step["step"] for step in manifest["steps"] if step["step"] == "validation"] == ["validation"]


def rfm_and_purchases(manifest: dict[str, Any]) -> dict[str, Any]:
    return {
        each["table"]: each
        for each in manifest["totals"]
        if each["kind"] == "written" and each["table"] in ("rfm", "purchases")
    }


def check_summary(shown: str) -> None:
    assert f"Does it predict? Segments of {CUT}, and the {DAYS} days after it" in shown
    assert "The order of the segments tells who buys again." in shown
    assert "New customers: 30, with 1,273.05 of the " in shown
    assert f"Scored by cut points that were fitted to the customers of {CUT}" in shown


def check_page(page: Page) -> None:
    """See the section, its total, and the option in the command that makes the run again."""
    assert "Does it predict?" in page.text
    *_, total = page.tables["Segments at the cut, and who bought again"]
    assert total[:4] == ["all customers", 60, 30, Decimal("0.5")]
    assert f"--validate-days {DAYS}" in page.text


def check_older_card(runs: Runs, tmp_path: Path) -> None:
    """See that a card as of the cut is applied as it is."""
    content = json.loads((runs.output / "runs" / FIRST / "score_card.json").read_text())
    older = tmp_path / "older.json"
    older.write_text(json.dumps({**content, "as_of": str(CUT), "card": "older", "hash": None}))
    entry = add(runs, "--card", str(older), "--validate-days", str(DAYS))
    origin = {"origin": "applied", "as_of": str(CUT), "name": "older"}
    assert {name: entry["card"][name] for name in origin} == origin
    assert entry["card"]["scores"] == content["scores"]
    by_code = {each["code"]: each["customers"] for each in entry["segments"] if each["customers"]}
    assert by_code == {code: customers for code, (customers, _, _) in counted_by_duckdb(runs, entry).items()}


def test_a_card_of_a_later_day_lends_its_percentiles_and_its_map_and_no_cut_point(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = ScoreCard.from_json((published / "runs" / FIRST / "score_card.json").read_text())
    card = replace(card, scoring=replace(card.scored_by, percents=(10.0, 50.0, 75.0, 95.0)))
    choice = ScoringChoice(card, load_maps(None), named=card)
    options: dict[str, Any] = {}
    monkeypatch.setattr(validating, "fitted_scoring", lambda *_, **stated: options.update(stated))
    assert older_card(choice, CUT) is None
    assert older_card(choice, AS_OF) == card
    scoring_at_the_cut(None, {}, FeaturesConfig(), choice)
    assert options["percents"] == (10.0, 50.0, 75.0, 95.0)
    assert options["maps"].chosen(frequency_is_degenerate=False) == card.scored_by.segment_map
    scoring_at_the_cut(None, {}, FeaturesConfig(percentiles=(1.0, 2.0, 3.0, 4.0)), ScoringChoice(None, load_maps(None)))
    assert (options["percents"], options["maps"]) == ((1.0, 2.0, 3.0, 4.0), load_maps(None))


def test_a_cut_before_the_oldest_purchase_is_not_validated_and_asks_spark_nothing() -> None:
    run = SimpleNamespace(as_of=AS_OF)
    scored = SimpleNamespace(sufficiency=Sufficiency(90, 378, 28, 30, 30))
    config = FeaturesConfig(validate_days=379)
    choice = ScoringChoice(None, load_maps(None))
    nothing = validate(run, None, scored, config=config, choice=choice)
    assert isinstance(nothing, NotValidated)
    assert nothing.as_json() == {
        "days": 379,
        "cut": "2017-06-16",
        "customers": 0,
        "verdict": nothing.verdict,
    }
    assert nothing.verdict == (
        "Not validated: nobody had bought anything by 2017-06-16, and the oldest purchase is of 2017-06-17; give "
        "--validate-days 378 or fewer."
    )
    assert validate(run, None, scored, config=FeaturesConfig(), choice=choice) is None


def test_the_oldest_purchase_on_the_day_itself_needs_later_ones() -> None:
    nothing = NotValidated(date(2018, 6, 20), 10, date(2018, 6, 30))
    assert nothing.verdict.endswith("the oldest purchase is of 2018-06-30; wait for later purchases.")


@pytest.mark.parametrize(
    ("days", "window", "says"),
    [
        (
            90,
            1,
            "--validate-days 90 with a window of 1 month: no purchase before 2018-05-31 counts, so nobody could be",
        ),
        (31, 1, "expected 30 days at most"),
    ],
)
def test_a_validation_before_the_window_is_refused_at_once(days: int, window: int, says: str, tmp_path: Path) -> None:
    config = FeaturesConfig(window_months=window, validate_days=days)
    with pytest.raises(ConfigurationError, match=says):
        plan_scoring(RunStore(str(tmp_path)), config, OlistSource(), as_of=AS_OF)
