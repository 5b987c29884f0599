"""What a run's files say of it, together with those of the runs that it continues."""

import json
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jobs.reports.money_flow import adds_up, money_stages
from jobs.reports.reported_run import ReportedManifest, ReportedRun
from jobs.storage.run_files import read_manifest_as

OLD_NAMES = Path(__file__).parent.parent / "data" / "release-0.1" / "runs" / "2018-06-30-release-0.1" / "manifest.json"


def manifest(run_id: str, *, tables: dict[str, str], totals: list[tuple[Any, ...]], **entries: Any) -> ReportedManifest:
    """A manifest with paths of tables by the run that wrote them, and totals of table, kind, part, rows and money."""
    content = {
        "run_id": run_id,
        "as_of": run_id[:10],
        "configuration_hash": "ab",
        "tables": {table: f"runs/{by}/{table}" for table, by in tables.items()},
        "totals": [
            {"table": table, "kind": kind, "rows": rows, "money": money, **({"part": part} if part else {})}
            for table, kind, part, rows, money in totals
        ],
        **entries,
    }
    return read_manifest_as(ReportedManifest, json.dumps(content), name="manifest.json")


def reported(own: ReportedManifest, *earlier: ReportedManifest) -> ReportedRun:
    nothing: Any = SimpleNamespace()
    return ReportedRun(own, nothing, nothing, nothing, nothing, None, earlier)


EARLIER = manifest(
    "2018-01-01-pipeline",
    tables=dict.fromkeys(("payments", "transactions", "purchases", "rfm"), "2018-01-01-pipeline"),
    totals=[
        ("payments", "read", None, 3, "30.0000"),
        ("quarantine/payments", "written", None, 1, "5.0000"),
        ("payments", "written", None, 2, "25.0000"),
        ("payments", "excluded", "purchased_after_as_of", 1, "10.0000"),
        ("transactions", "written", None, 1, "15.0000"),
        ("transactions", "excluded", "other_payments_of_the_purchase", 1, "3.0000"),
        ("purchases", "written", None, 1, "12.0000"),
        ("rfm", "written", None, 1, "12.0000"),
        ("rfm", "segment", "RF01", 1, "12.0000"),
    ],
)


def test_features_of_a_pipeline_run_take_over_what_was_read_and_nothing_that_they_compute_themselves() -> None:
    mine = "2018-01-02-features"
    own = manifest(
        mine,
        tables={"payments": "2018-01-01-pipeline", "transactions": mine, "purchases": mine, "rfm": mine},
        totals=[
            ("payments", "written", None, 2, "25.0000"),
            ("transactions", "written", None, 2, "25.0000"),
            ("purchases", "written", None, 2, "25.0000"),
            ("rfm", "written", None, 2, "25.0000"),
            ("rfm", "segment", "RM01", 2, "25.0000"),
        ],
    )
    stages = money_stages(reported(own, EARLIER).totals)
    assert [(stage.name, stage.money, stage.removed_money) for stage in stages] == [
        ("in the files", 30, 0),
        ("accepted", 25, 5),
        *((name, Decimal(25), 0) for name in ("transactions", "purchases", "customers", "segments")),
    ]
    assert adds_up(stages)


def test_segments_of_a_features_run_take_over_all_that_it_computed() -> None:
    own = manifest(
        "2018-01-03-segments",
        tables=dict.fromkeys(("payments", "transactions", "purchases", "rfm"), "2018-01-01-pipeline"),
        totals=[("rfm", "written", None, 1, "12.0000")],
    )
    stages = money_stages(reported(own, EARLIER).totals)
    assert [stage.money for stage in stages] == [30, 25, 15, 12, 12, 12]
    assert adds_up(stages)


def test_quality_of_release_0_1_is_read_by_its_old_names() -> None:
    old = read_manifest_as(ReportedManifest, OLD_NAMES.read_text(), name="manifest.json")
    read = {
        table: (quality.quarantined, quality.cascaded, quality.failed) for table, quality, _ in reported(old).quality()
    }
    # One payment without an order.
    assert read["payments"] == (1, 0, {"refers_to(order_id)": 1})
    assert read["customers"] == (0, 0, {})
