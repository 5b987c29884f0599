"""Runs of a few customers, written by DuckDB from their purchases: Parquet, a score card, a manifest. No Spark.

Cut points and segments are small numbers, so that every score can be worked out by hand. DuckDB computes rfm from
them, with SQL of its own.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from transforms.rfm.dimensions import Bounds
from transforms.rfm.score_card import ScoreCard, Scoring
from transforms.rfm.scores import SCORED, Bands
from transforms.rfm.segments import SegmentMap

BEFORE, NOW = "2018-06-30-before", "2018-07-31-now"

Bought = tuple[str, str, str]
"""A customer, a day with or without an hour, and money: ("ann", "2018-06-20", "160.00")."""

CUTS: Mapping[str, tuple[int, ...]] = {"r": (30, 60, 90, 120), "f": (1, 2, 3, 4), "m": (50, 100, 150, 200)}
"""Up to 30 days score 5, up to 60 score 4; up to 50.00 score 1, up to 100.00 score 2, and so on."""

BIG, SMALL = {"m": "4-5"}, {"m": "1-3"}
MAP: dict[str, Any] = {
    "name": "four",
    "segments": [
        {"name": "Recent big", "code": "A", "advice": "Thank them.", "cells": [{"r": "4-5", **BIG}]},
        {"name": "Recent small", "code": "B", "advice": "Welcome them.", "cells": [{"r": "4-5", **SMALL}]},
        {"name": "Lapsed big", "code": "C", "advice": "Win them back.", "cells": [{"r": "1-3", **BIG}]},
        {"name": "Lapsed small", "code": "D", "advice": "Write rarely.", "cells": [{"r": "1-3", **SMALL}]},
    ],
}
"""Recent is a score of 4 or 5, which is up to 60 days; big is 4 or 5, which is more than 150.00."""

OTHER_MAP: dict[str, Any] = {
    "name": "five",
    "segments": [
        {**MAP["segments"][0], "cells": [{"r": 5, **BIG}]},
        MAP["segments"][1],
        {**MAP["segments"][2], "cells": [{"r": "1-2", **BIG}]},
        MAP["segments"][3],
        {"name": "Waning big", "code": "E", "advice": "Call them.", "cells": [{"r": "3-4", **BIG}]},
    ],
}
"""Who is big with a score of 3 or 4 for recency is in a segment of their own."""


def card(
    name: str, *, as_of: date, cuts: Mapping[str, Sequence[int]], segment_map: Any, months: int | None
) -> ScoreCard:
    bands = {
        letter: Bands(
            SCORED[letter],
            tuple(Decimal(cut) for cut in cuts[letter]),
            (5, 4, 3, 2, 1) if letter == "r" else (1, 2, 3, 4, 5),
        )
        for letter in SCORED
    }
    scoring = Scoring(bands, (20.0, 40.0, 60.0, 80.0), SegmentMap.from_content(segment_map), months)
    bounds = {name: Bounds(0.0, 1.0) for name in ("recency", "frequency", "monetary")}
    return ScoreCard(name=name, bounds=bounds, as_of=as_of, scoring=scoring)


@dataclass(frozen=True)
class WrittenRun:
    """What a run is written from."""

    run_id: str
    bought: Sequence[Bought]
    cuts: Mapping[str, Sequence[int]] = field(default_factory=lambda: CUTS)
    segment_map: Any = field(default_factory=lambda: MAP)
    months: int | None = None
    history: Sequence[tuple[Any, ...]] | None = None
    changes: Sequence[tuple[Any, ...]] | None = None
    clusters: Sequence[tuple[Any, ...]] | None = None
    manifest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def as_of(self) -> date:
        return date.fromisoformat(self.run_id[:10])

    def because(self, row: tuple[Any, ...]) -> "WrittenRun":
        """The run with one row in segment_changes, and a manifest that compares it with `BEFORE`."""
        return replace(self, changes=[row], manifest={"changes": moves_since(BEFORE)})

    def write(self, output: Path) -> Path:
        """Write the run, and make it the current one."""
        folder = output / "runs" / self.run_id
        folder.mkdir(parents=True)
        scored_by = card(
            self.run_id, as_of=self.as_of, cuts=self.cuts, segment_map=self.segment_map, months=self.months
        )
        (folder / "score_card.json").write_text(scored_by.to_json())
        with duckdb.connect() as connection:
            _create(connection, "purchases", PURCHASES, self.bought)
            connection.execute(f"create table rfm as {self._rfm(scored_by)}")
            for name, columns, rows in (
                ("segment_history", HISTORY, self.history),
                ("segment_changes", CHANGES, self.changes),
                ("customer_segments", CLUSTERS, self.clusters),
            ):
                if rows is not None:
                    _create(connection, name, columns, rows)
            tables = [row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()]
            content = self._manifest(connection, folder, sorted(tables))
        (folder / "manifest.json").write_text(json.dumps({**content, **self.manifest}))
        (output / "current.json").write_text(json.dumps({"run_id": self.run_id}))
        return output

    def _rfm(self, scored_by: ScoreCard) -> str:
        def score(column: str, letter: str) -> str:
            scores = (5, 4, 3, 2, 1) if letter == "r" else (1, 2, 3, 4, 5)
            steps = zip(self.cuts[letter], scores, strict=False)
            return f"case {' '.join(f'when {column} <= {c} then {s}' for c, s in steps)} else {scores[-1]} end"

        segments = scored_by.scored_by.segment_map.segments
        cells = " ".join(
            f"when rfm_score in ({', '.join(repr(''.join(map(str, cell))) for cell in each.cells)}) then '{each.code}'"
            for each in segments
        )
        names = " ".join(f"when '{each.code}' then '{each.name}'" for each in segments)
        return f"""
            with bought as (
                select customer_unique_id, min(order_purchase_time) filter (value >= 0) as first_purchase_time,
                       max(order_purchase_time) filter (value >= 0) as last_purchase_time,
                       count(*) filter (value >= 0) as purchase_count, sum(value)::decimal(18, 4) as total_value
                from purchases group by 1 having count(*) filter (value >= 0) > 0
            ), measured as (
                select *, date_diff('day', last_purchase_time::date, date '{self.as_of}')::integer
                           as days_since_last_purchase
                from bought
            ), scored as (
                select *, {score("days_since_last_purchase", "r")} as r_score,
                       {score("purchase_count", "f")} as f_score, {score("total_value", "m")} as m_score,
                       concat(r_score, f_score, m_score) as rfm_score
                from measured
            )
            select *, case {cells} end as segment_code, case segment_code {names} end as segment,
                   'r ' || r_score as r_band, 'f ' || f_score as f_band, 'm ' || m_score as m_band,
                   case {_to_next("days_since_last_purchase", self.cuts["r"], low_is_best=True)} end as r_to_next,
                   case {_to_next("purchase_count", self.cuts["f"], more=1)} end as f_to_next,
                   (case {_to_next("total_value", self.cuts["m"])} end)::decimal(18, 4) as m_to_next
            from scored"""

    def _manifest(self, connection: duckdb.DuckDBPyConnection, folder: Path, tables: Sequence[str]) -> dict[str, Any]:
        outputs, totals = {}, []
        for table in tables:
            (folder / table).mkdir()
            file = folder / table / "part-0.parquet"
            connection.execute(f"copy {table} to '{file}' (format parquet)")
            content = file.read_bytes()
            outputs[table] = [{"file": file.name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}]
            money = {"purchases": "value", "rfm": "total_value"}.get(table)
            rows, amount = connection.execute(
                f"select count(*), {f'coalesce(sum({money}), 0)' if money else 'null'} from {table}"
            ).fetchall()[0]
            total = {"table": table, "kind": "written", "rows": rows}
            totals.append(total if amount is None else {**total, "money": f"{amount:.4f}"})
        return {
            "run_id": self.run_id,
            "as_of": str(self.as_of),
            "configuration_hash": "ab",
            "totals": totals,
            "tables": {table: f"runs/{self.run_id}/{table}" for table in tables},
            "outputs": outputs,
            "score_card": {"file": f"runs/{self.run_id}/score_card.json"},
            "segments": {"map": {"name": "four", "hash": "ab"}, "segments": []},
        }


PURCHASES = "customer_unique_id varchar, order_purchase_time timestamp, value decimal(18, 4)"
HISTORY = (
    "customer_unique_id varchar, segment_code varchar, segment varchar, previous_segment_code varchar, "
    "previous_segment varchar, segment_since date, runs_in_segment integer"
)
CHANGES = (
    "customer_unique_id varchar, from_as_of date, from_segment_code varchar, from_segment varchar, "
    "to_segment_code varchar, to_segment varchar, cause varchar, code_after_past_data varchar, "
    "code_after_new_purchases varchar, code_after_time varchar, code_after_cut_points varchar"
)
CLUSTERS = "customer_unique_id varchar, cluster integer, distance double, cluster_name varchar"


def _create(connection: duckdb.DuckDBPyConnection, table: str, columns: str, rows: Sequence[tuple[Any, ...]]) -> None:
    connection.execute(f"create table {table} ({columns})")
    if rows:
        places = f"({', '.join('?' * len(rows[0]))})"
        # In one statement: a statement for each of thousands of rows takes seconds.
        connection.execute(
            f"insert into {table} values {', '.join([places] * len(rows))}", [value for row in rows for value in row]
        )


def _to_next(column: str, cuts: Sequence[int], *, low_is_best: bool = False, more: int = 0) -> str:
    """What is missing to the next better band, as cases; null in the best."""
    if low_is_best:
        return " ".join(f"when {column} > {cut} then {column} - {cut}" for cut in reversed(cuts))
    return " ".join(f"when {column} <= {cut} then {cut} + {more} - {column}" for cut in cuts)


def moves_since(run_id: str, **changes: Any) -> dict[str, Any]:
    """The manifest's entry about changes, as far as an explanation reads it."""
    customers = dict.fromkeys(("before", "stayed", "moved", "new", "vanished", "now"), 1)
    return {
        "since": {"run_id": run_id, "as_of": run_id[:10], "card": "ab"},
        "settings_that_differ": {},
        "customers": customers,
        "causes": {},
        "transitions": [],
        "by_segment": [],
        "population_stability_index": 0.0,
        **changes,
    }
