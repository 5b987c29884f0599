"""The clusters of a run on the page: their size, their average customer and how far they moved."""

from decimal import Decimal

from jobs.reports.customers import SmallCells
from jobs.reports.figures import Figure, Named, Shown, Table, Words, money, share
from jobs.reports.reported_run import ReportedDrift, ReportedRun
from transforms.changes import in_a_word
from transforms.clusters.model import Cluster

Shares = list[tuple[str, Figure, Figure]]


def cluster_shares(run: ReportedRun, small_cells: SmallCells) -> Shares:
    """Each cluster's share of customers and of revenue."""
    hidden = _hidden(run, small_cells)
    return [
        (
            _name(cluster, hidden),
            _part(cluster.customers, run.customers, instead=hidden.get(cluster.id)),
            _part(cluster.revenue, run.revenue, instead="" if cluster.id in hidden else None),
        )
        for cluster in _clusters(run)
    ]


def cluster_table(run: ReportedRun, small_cells: SmallCells) -> Table:
    """A row for each cluster, with its average customer in real units."""
    header = [
        "cluster",
        "customers",
        "of customers",
        "revenue",
        "of revenue",
        "weeks since last",
        "purchases",
        "per purchase",
    ]
    hidden = _hidden(run, small_cells)
    return Table(
        "Clusters, and the average customer of each", header, [_row(run, each, hidden) for each in _clusters(run)]
    )


def drift_note(drift: ReportedDrift | None) -> Words:
    """How far the clusters moved since an earlier run."""
    if drift is None:
        return Words.of("There are no earlier clusters to compare these with, so drift is not known.")
    index = drift.population_stability_index
    return Words.of(
        f"Compared with run {drift.against}, the clusters drifted by ",
        Figure(drift.drift, "share"),
        ": the larger of how far a cluster's mean moved on its scale, and the share of customers that changed clusters."
        " The population stability index is ",
        Figure(index, "index"),
        f", which is called {in_a_word(index)}.",
    )


def _clusters(run: ReportedRun) -> tuple[Cluster, ...]:
    return run.clusters.clusters if run.clusters else ()


def _hidden(run: ReportedRun, small_cells: SmallCells) -> dict[int, str]:
    return small_cells.hidden({cluster.id: cluster.customers for cluster in _clusters(run)})


def _name(cluster: Cluster, hidden: dict[int, str]) -> str:
    """The name of a cluster. That of a hidden one may have a figure of its customers in it."""
    return f"cluster {cluster.id}" if cluster.id in hidden else cluster.name


def _part(part: int | Decimal, whole: int | Decimal, *, instead: str | None) -> Figure:
    return share(part, whole) if instead is None else Figure(None, "share", instead)


def _row(run: ReportedRun, cluster: Cluster, hidden: dict[int, str]) -> list[Shown]:
    named = Named(_name(cluster, hidden), f"{cluster.id}", "")
    if cluster.id in hidden:
        return [named, Figure(None, instead=hidden[cluster.id]), *[Figure(None)] * 6]
    # A cluster without customers has the means of an earlier run.
    means = cluster.means if cluster.customers else dict[str, float]()
    return [
        named,
        Figure(cluster.customers),
        share(cluster.customers, run.customers),
        money(cluster.revenue),
        share(cluster.revenue, run.revenue),
        Figure(means.get("recency"), "decimal"),
        Figure(means.get("frequency"), "ratio"),
        Figure(means.get("monetary"), "money"),
    ]
