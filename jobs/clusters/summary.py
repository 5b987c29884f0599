"""What a person sees of the clusters of a run."""

from jobs.cli import console
from jobs.clusters.description import Found

HEADER = ("cluster", "name", "customers", "share", "revenue", "weeks", "purchases", "per purchase")
WAS = "share before"


def show(found: Found) -> None:
    """Print a line for each cluster: who is in it, what they spent, and what share it had last time."""
    old = {cluster.id: cluster for cluster in found.previous.clusters} if found.previous else {}
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
        for cluster in found.model.clusters
    ]
    header = (*HEADER, WAS) if old else HEADER
    console.summary(f"Clusters of customers ({found.model.centroids_from})", header, rows, text_columns=2)
    if found.assigned.choice:
        _show_choice(found)


def notes(found: Found) -> list[str]:
    """What there is to say of the clusters, in lines."""
    return [*_about_k(found), *_about_drift(found), *_about_distances(found)]


def _about_k(found: Found) -> list[str]:
    choice, asked, k = found.assigned.choice, found.assigned.asked, len(found.model.clusters)
    lines = []
    if choice and not choice.has_structure:
        lines.append(
            f"--k auto: no structure; no number of clusters does better than chance, so {choice.k} were asked for"
        )
    elif choice:
        lines.append(f"--k auto: {choice.k} clusters, of {len(choice.table)} numbers tried")
    if asked is not None and k < asked:
        lines.append(f"{k} clusters and not {asked}: training found no more that differ")
    return lines


def _about_drift(found: Found) -> list[str]:
    if found.drift is None:
        return []
    drift = found.drift
    index = f"population stability index {drift.stability_index:.4f}"
    return [f"drift {drift.magnitude:.4f} since run {drift.against} ({index})"]


def _about_distances(found: Found) -> list[str]:
    if found.model.engine != "sagemaker" or found.assigned.applied or found.stated_distance == "distance":
        return []
    told = {
        "square": "are the square of ours",
        "neither": "are neither ours nor its square",
        "not known": "cannot be compared without its model (--model-artifact)",
    }[found.stated_distance]
    return [f"SageMaker's distances {told}; customer_segments has ours"]


def _show_choice(found: Found) -> None:
    choice = found.assigned.choice
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
    console.summary(f"Numbers of clusters, on a sample of {choice.sample:,} customers", header, rows)
