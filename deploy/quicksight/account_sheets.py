"""The sheets about the run's accounts: the quality of its data, and its money."""

from deploy.quicksight.fields import Fields
from deploy.quicksight.sheet import HIGH, MONEY, Row, Sheet, number, numbers
from deploy.quicksight.visuals import Words, bars, table

QUARANTINED = Words(
    "Share of quarantined rows",
    "percent of the rows read",
    "A bar for each table: the share of its rows that was quarantined.",
)
ROWS = Words(
    "Rows of each table",
    "rows, and percent of the rows read",
    "A row for each table: its rows read, accepted and quarantined.",
)
RULES = Words(
    "Rules that rows failed",
    "rows that failed the rule; a row may fail several",
    "A row for each rule that failed, with the number of rows that failed it.",
)
STAGES = Words(
    "The money, stage by stage",
    f"{MONEY}: what arrived, and what did not go on from the stage before",
    "Two bars for each stage, from the files to the segments: the money that arrived, and the money that did not go on "
    "from the stage before.",
)
CAUSES = Words(
    "Stages and causes",
    MONEY,
    "A row for each stage: the money that arrived, what did not go on, and why.",
)


def quality() -> Sheet:
    """Whether the data was fit to use."""
    source, unit = "quality_figures", "rows of all tables"
    shares, rows, rules = (
        Fields("quality-shares", source),
        Fields("quality-table", source),
        Fields("quality-rules", "rule_figures"),
    )
    return Sheet(
        "Quality",
        "Whether the data was fit to use: what was quarantined, and which rules failed",
        (source, "table_name"),
        [
            numbers(
                "quality",
                source,
                number("quality-read", source, "rows_read", title="Read", unit=unit),
                number("quality-quarantined", source, "rows_quarantined", title="Quarantined", unit=unit),
            ),
            Row(
                HIGH,
                [
                    bars(
                        shares,
                        QUARANTINED,
                        category="table_name",
                        values=[shares.measure("share_quarantined")],
                        order=shares.sort("share_quarantined", "DESC"),
                    ),
                    table(
                        rows,
                        ROWS,
                        groups=["table_name"],
                        values=[
                            *(rows.measure(f"rows_{what}") for what in ("read", "accepted", "quarantined")),
                            rows.measure("share_quarantined"),
                        ],
                        order=rows.sort("rows_quarantined", "DESC"),
                    ),
                ],
            ),
            Row(
                HIGH,
                [
                    table(
                        rules,
                        RULES,
                        groups=["table_name", "rule"],
                        values=[rules.measure("failed_rows")],
                        order=rules.sort("failed_rows", "DESC"),
                    )
                ],
            ),
        ],
    )


def money() -> Sheet:
    """Whether the money adds up, from the files to the segments.

    Of several causes at one stage, each row has the money that arrived there. So that money is not added up.
    """
    source = "money_figures"
    stages, rows = Fields("money-stages", source), Fields("money-table", source)
    return Sheet(
        "Money",
        "Whether it adds up: the money from the files to the segments, and what did not go on",
        (source, "stage"),
        [
            numbers(
                "money",
                source,
                number("money-lost", source, "lost", title="Did not go on", unit=f"{MONEY}, over all stages"),
            ),
            Row(
                HIGH,
                [
                    bars(
                        stages,
                        STAGES,
                        category="stage",
                        values=[stages.measure("money", "MAX"), stages.measure("lost")],
                        order=stages.sort_by_column("stage_number", "ASC"),
                    )
                ],
            ),
            Row(
                HIGH,
                [
                    table(
                        rows,
                        CAUSES,
                        groups=["stage_number", "stage", "cause"],
                        values=[rows.measure("money", "MAX"), rows.measure("lost")],
                        order=rows.sort("stage_number", "ASC"),
                    )
                ],
            ),
        ],
    )
