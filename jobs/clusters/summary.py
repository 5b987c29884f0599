"""The clusters of a run, as its summary shows them."""

from jobs.cli import console
from jobs.clusters.description import RunClusters

HEADER = ("cluster", "name", "customers", "share", "revenue", "weeks", "purchases", "per purchase")
PREVIOUS_SHARE = "share before"


def show_clusters(clusters: RunClusters) -> None:
    """Print a line for each cluster: its customers, their revenue, and its share in the previous run."""
    old = {cluster.id: cluster for cluster in clusters.previous.clusters} if clusters.previous else {}
    rows = [
        (
            str(cluster.id),
            cluster.name,
            f"{cluster.customers:,}",
            f"{cluster.share_of_customers:.1%}",
            f"{cluster.revenue:,.2f}",
            f"{cluster.means['recency']:.1f}",
            f"{cluster.means['frequency']:.2f}",
            f"{cluster.means['monetary']:,.2f}",
            *([f"{old[cluster.id].share_of_customers:.1%}" if cluster.id in old else ""] if old else []),
        )
        for cluster in clusters.model.clusters
    ]
    header = (*HEADER, PREVIOUS_SHARE) if old else HEADER
    console.show_table(f"Clusters of customers ({clusters.model.centroids_from})", header, rows, text_columns=2)
    if clusters.assignments.choice:
        _show_choice(clusters)


def cluster_notes(clusters: RunClusters) -> list[str]:
    """Notes on the number of clusters, their drift and SageMaker's distances, one line each."""
    return [*_about_k(clusters), *_about_drift(clusters), *_about_distances(clusters)]


def _about_k(clusters: RunClusters) -> list[str]:
    choice, requested, k = clusters.assignments.choice, clusters.assignments.requested_k, len(clusters.model.clusters)
    lines = []
    if choice and not choice.has_structure:
        lines.append(
            f"--k auto: no structure; no number of clusters does better than chance, so {choice.k} were trained"
        )
    elif choice:
        lines.append(f"--k auto: {choice.k} clusters, of {len(choice.table)} numbers tried")
    if requested is not None and k < requested:
        lines.append(f"{k} clusters and not {requested}: training found no more distinct clusters")
    return lines


def _about_drift(clusters: RunClusters) -> list[str]:
    if clusters.drift is None:
        return []
    drift = clusters.drift
    index = f"population stability index {drift.stability_index:.4f}"
    return [f"drift {drift.magnitude:.4f} since run {drift.against} ({index})"]


def _about_distances(clusters: RunClusters) -> list[str]:
    if clusters.model.engine != "sagemaker" or clusters.assignments.applied or clusters.stated_distance == "distance":
        return []
    explanation = {
        "square": "are the square of ours",
        "neither": "are neither ours nor its square",
        "not known": "cannot be compared without its model (--model-artifact)",
    }[clusters.stated_distance]
    return [f"SageMaker's distances {explanation}; customer_segments has ours"]


def _show_choice(clusters: RunClusters) -> None:
    choice = clusters.assignments.choice
    if choice is None:
        return
    header = ("k", "inertia", "silhouette", "of a cloud", "smallest share", "agreement", "structure")
    rows = [
        (
            str(tried.k),
            f"{tried.inertia:,.1f}",
            f"{tried.silhouette:.3f}",
            f"{tried.cloud:.3f}",
            f"{tried.smallest_share:.1%}",
            f"{tried.agreement:.3f}",
            "yes" if tried.is_structure else "no",
        )
        for tried in choice.table
    ]
    console.show_table(f"Numbers of clusters, on a sample of {choice.sample:,} customers", header, rows)
