"""The sheets about customers: segments, their grid, their movement, and clusters."""

from deploy.quicksight.fields import Fields
from deploy.quicksight.sheet import HIGH, LOW, MONEY, Row, Sheet, number, numbers
from deploy.quicksight.visuals import Axis, Words, bars, heat_map, lines, table

SHARES = Words(
    "Share of customers and of revenue",
    "percent of all customers, and of all revenue",
    "Two bars for each segment: its share of revenue, and its share of customers. The table below has the same shares.",
)
SEGMENTS = Words(
    "Segments",
    f"customers, {MONEY}, days since the last purchase, change since the last earlier day with the same segments",
    "A row for each segment with its customers, revenue, shares, value of a purchase, days since the last purchase and "
    "change. What is not shown is hidden, since it is of few customers.",
)
ACROSS = "days since the last purchase, by money spent in all or, where the segments use them, by purchases"
CELLS = "A row for each range of days since the last purchase, a column for each range of the other measure, and"
TREND = Words(
    "Share of customers, run by run",
    "percent of all customers, for each day that has a run",
    "A line chart for each segment: its share of customers on each day with a run. Days when it is hidden are gaps.",
)
CHANGE = Words(
    "Change since the last earlier day",
    "customers that a segment gained or lost; empty without an earlier run",
    "A bar for each segment: the customers that it gained, or lost where it is negative.",
)
CLUSTER_SHARES = Words(
    "Share of customers",
    "percent of all customers; empty for a run without clusters",
    "A bar for each cluster: its share of customers.",
)
CLUSTERS = Words(
    "Clusters, and their average customer",
    f"customers, {MONEY}; recency in weeks, frequency in purchases, monetary in money for each purchase",
    "A row for each cluster with its customers, revenue and average customer.",
)


def segments() -> Sheet:
    """Whom to write to: each segment's size and revenue."""
    source = "segment_figures"
    shares, rows = Fields("segment-shares", source), Fields("segment-table", source)
    return Sheet(
        "Segments",
        "Whom to write to: how many customers each segment has, and what they spent",
        (source, "segment"),
        [
            numbers(
                "segments",
                source,
                number("segment-customers", source, "customers", title="Customers", unit="in the segments shown"),
                number("segment-revenue", source, "revenue", title="Revenue", unit=f"{MONEY}, of the segments shown"),
            ),
            Row(
                HIGH,
                [
                    bars(
                        shares,
                        SHARES,
                        category="segment",
                        values=[shares.measure("share_of_revenue"), shares.measure("share_of_customers")],
                        order=shares.sort("share_of_revenue", "DESC"),
                    )
                ],
            ),
            Row(
                HIGH,
                [
                    table(
                        rows,
                        SEGMENTS,
                        groups=["segment", "segment_code"],
                        values=[
                            rows.measure("customers"),
                            rows.measure("share_of_customers"),
                            rows.measure("revenue"),
                            rows.measure("share_of_revenue"),
                            rows.measure("value_per_purchase", "AVERAGE"),
                            rows.measure("days_since_last_purchase", "AVERAGE"),
                            rows.measure("customers_change"),
                        ],
                        order=rows.sort("revenue", "DESC"),
                    )
                ],
            ),
        ],
    )


def grid() -> Sheet:
    """Where the segments lie: the cells of two scores, in real units."""
    source = "grid_figures"
    recency, other = Axis("recency", "recency_score", "DESC"), Axis("other", "other_score", "ASC")
    customers, value, rows = (
        Fields("grid-customers", source),
        Fields("grid-value", source),
        Fields("grid-table", source),
    )
    return Sheet(
        "Grid",
        "Where the segments lie: customers by the measures that decide",
        (source, "recency"),
        [
            numbers("grid", source),
            Row(
                HIGH,
                [
                    heat_map(
                        customers,
                        Words("Customers", f"customers; {ACROSS}", f"{CELLS} the customers in each cell."),
                        rows=recency,
                        columns=other,
                        value=customers.measure("customers"),
                    ),
                    heat_map(
                        value,
                        Words(
                            "Money for each customer",
                            f"{MONEY}; {ACROSS}",
                            f"{CELLS} what a customer of each cell spent on average.",
                        ),
                        rows=recency,
                        columns=other,
                        value=value.measure("value_per_customer", "AVERAGE"),
                    ),
                ],
            ),
            Row(
                HIGH,
                [
                    table(
                        rows,
                        Words(
                            "Cells and their segments",
                            f"customers, and {MONEY}",
                            "A row for each cell of the grids above, with the segments that it belongs to.",
                        ),
                        groups=["recency_score", "recency", "other_measure", "other_score", "other", "segments"],
                        values=[rows.measure("customers"), rows.measure("value_per_customer", "AVERAGE")],
                        order=rows.sort("recency_score", "DESC"),
                    )
                ],
            ),
        ],
    )


def movement() -> Sheet:
    """Run by run: which segments grow."""
    shares, changes = Fields("trend-shares", "trend_figures"), Fields("segment-changes", "segment_figures")
    return Sheet(
        "Movement",
        "Run by run: which segments grow, and which shrink",
        ("trend_figures", "segment"),
        [
            numbers("movement", "segment_figures"),
            Row(
                HIGH + LOW,
                [lines(shares, TREND, day="as_of", value=shares.measure("share_of_customers"), each="segment")],
            ),
            Row(
                HIGH,
                [
                    bars(
                        changes,
                        CHANGE,
                        category="segment",
                        values=[changes.measure("customers_change")],
                        order=changes.sort("customers_change", "DESC"),
                    )
                ],
            ),
        ],
    )


def clusters() -> Sheet:
    """The groups that the data itself has."""
    source = "cluster_figures"
    shares, rows = Fields("cluster-shares", source), Fields("cluster-table", source)
    return Sheet(
        "Clusters",
        "Which groups the data itself has, whatever the segments say",
        (source, "cluster_name"),
        [
            numbers("clusters", source),
            Row(
                HIGH,
                [
                    bars(
                        shares,
                        CLUSTER_SHARES,
                        category="cluster_name",
                        values=[shares.measure("share_of_customers")],
                        order=shares.sort("share_of_customers", "DESC"),
                    )
                ],
            ),
            Row(
                HIGH,
                [
                    table(
                        rows,
                        CLUSTERS,
                        groups=["cluster", "cluster_name"],
                        values=[
                            rows.measure("customers"),
                            rows.measure("share_of_customers"),
                            rows.measure("revenue"),
                            *(rows.measure(name, "AVERAGE") for name in ("recency", "frequency", "monetary")),
                        ],
                        order=rows.sort("cluster", "ASC"),
                    )
                ],
            ),
        ],
    )
