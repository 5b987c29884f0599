"""Clusters of customers: docs/clusters.md says what a cluster, a feature and a distance are."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from math import log1p
from typing import Any

from jobs.querying.views import literal
from jobs.verifying.audited import AuditedRun
from jobs.verifying.checks import Check, Fault
from jobs.verifying.comparing import Claim, Derivation, compare
from jobs.verifying.files import json_file
from jobs.verifying.scores import DIMENSIONS, normalised, to_cents
from jobs.verifying.totals import Boundary, check_boundaries, totals_in

NEAREST, DISTANCE = "customer_segments: cluster", "customer_segments: distance"
FIGURES = "manifest: clusters"
COMPARED_FIGURES = "customers, revenue, shares and means of each, and the inertia"
TOLERANCE = 1e-9
ROUNDING = 1e-6
"""Shares are rounded to six digits. So is, nearly, an inertia: it is a sum in an order of its own."""

SINGLE_PRECISION = 1.0001
"""The factor by which an engine's squared distance may exceed the least one: SageMaker computes in single precision."""

LOWEST_LOGGED = -0.99
"""What takes the place of a lower value in a scale of logarithms: 1 + x has none from -1 down."""


def check_clusters(run: AuditedRun) -> list[Check]:
    """Derive the cluster of each customer from the model, and the figures of the clusters from their customers."""
    why = run.why_missing("rfm", "customer_segments")
    entry = run.content.get("kmeans")
    if why is None and not entry:
        why = "the manifest has no clusters"
    claims: dict[str, Claim] = {
        NEAREST: ("the nearest centroid of the model, and its name", ("cluster", "cluster_name")),
        DISTANCE: ("the distance of the features to that centroid", ("distance",)),
    }
    if why is not None or not entry:
        return [Check.skipped("customer_segments", "the cluster of each customer", why=why or "")]
    model = json_file(run.store, entry["file"])
    is_own = entry["stated_distance"] == "not known"
    derivation = Derivation(
        table="customer_segments",
        key=("customer_unique_id",),
        sql=_nearest(model),
        sources=("rfm",),
        claims=claims,
        row_by_row=_tolerant(model, takes_any=is_own),
        needs_ids=is_own,
    )
    checks = compare(run, derivation)
    if is_own:
        why = "the engine's centroids are not known; those of the model are means of its clusters"
        checks = [Check.skipped(NEAREST, claims[NEAREST][0], why=why) if c.name == NEAREST else c for c in checks]
    return [*checks, *_check_figures(run, entry, model)]


def _features(scale: Mapping[str, Any]) -> dict[str, str]:
    """The feature of each measure in single precision, as SQL."""
    kind, bounds = scale["kind"], scale["bounds"]
    features = {}
    for name, sql in DIMENSIONS.items():
        low, high = float(bounds[name]["min"]), float(bounds[name]["max"])
        if kind == "minmax":
            feature = normalised(sql, low, high)
        elif kind == "log":
            feature = normalised(f"ln(1 + greatest({sql}, {LOWEST_LOGGED}))", log1p(low), log1p(high))
        else:
            measure = to_cents(sql) if name == "monetary" else sql
            feature = f"({_rank(measure, scale['grid'][name])}) * 5"
        features[name] = f"cast(cast({feature} as float) as double)"
    return features


def _rank(measure: str, grid: Sequence[Sequence[float]]) -> str:
    """The rank of a value, interpolated between the two points of the grid that it is between."""
    when = [f"when {measure} < {grid[0][0]!r} then {grid[0][1]!r}"]
    for (low, rank), (high, next_rank) in pairwise(grid):
        slope = (next_rank - rank) / (high - low)
        when.append(f"when {measure} < {high!r} then {rank!r} + ({measure} - {low!r}) * cast({slope!r} as double)")
    return f"case {' '.join(when)} else {grid[-1][1]!r} end"


def _by_label(model: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The clusters in the order of the engine's labels, the lowest of which wins where two are equally near."""
    return sorted(model["clusters"], key=lambda each: int(each["engine_label"]))


def _with_distances(model: Mapping[str, Any]) -> str:
    """The customers of rfm with their squared distance to each centroid, and the least of them."""
    features = ", ".join(f"{sql} as {name}" for name, sql in _features(model["feature_scale"]).items())
    clusters = _by_label(model)
    off = ", ".join(
        f"{name} - cast({float(each['centroid'][name])!r} as double) as {name}_{at}"
        for at, each in enumerate(clusters)
        for name in DIMENSIONS
    )
    squares = ", ".join(
        " + ".join(f"{name}_{at} * {name}_{at}" for name in DIMENSIONS) + f" as square_{at}"
        for at in range(len(clusters))
    )
    every = ", ".join(f"square_{at}" for at in range(len(clusters)))
    return f"""
        select customer_unique_id, {every}, least({every}) as least_square from (
            select customer_unique_id, {squares} from (
                select customer_unique_id, {off} from (select customer_unique_id, {features} from {{now}}.rfm)
            )
        )
    """


def _chosen(model: Mapping[str, Any], is_it: str) -> str:
    """Number, name and distance of a cluster, as SQL.

    Args:
        model: the clusters.
        is_it: a condition with the place and the number of a cluster for ``{0}`` and ``{1}``; the first one that meets
            it is taken.
    """

    def case(values: Sequence[str]) -> str:
        when = [
            f"when {is_it.format(at, int(each['cluster']))} then {value}"
            for at, (each, value) in enumerate(zip(_by_label(model), values, strict=True))
        ]
        return f"case {' '.join(when)} end"

    clusters = _by_label(model)
    return f"""
        {case([str(int(each["cluster"])) for each in clusters])} as cluster,
        {case([literal(each["name"]) for each in clusters])} as cluster_name,
        sqrt({case([f"square_{at}" for at in range(len(clusters))])}) as distance
    """


def _nearest(model: Mapping[str, Any]) -> str:
    return f"""
        select customer_unique_id, {_chosen(model, "square_{0} = least_square")} from ({_with_distances(model)})
    """


def _tolerant(model: Mapping[str, Any], *, takes_any: bool) -> str:
    """The same, but a customer may be in another cluster that is as near within the precision of the engine.

    Args:
        model: the clusters.
        takes_any: whether the customer's own cluster is taken, however near it is.
    """
    squares = " ".join(f"when {int(each['cluster'])} then square_{at}" for at, each in enumerate(_by_label(model)))
    takes_own = "own_square is not null"
    if not takes_any:
        takes_own = f"own_square <= least_square * {SINGLE_PRECISION} + 0.00001"
    is_it = f"case when coalesce({takes_own}, false) then own = {{1}} else square_{{0}} = least_square end"
    return f"""
        select customer_unique_id, {_chosen(model, is_it)} from (
            select *, case own {squares} end as own_square
            from ({_with_distances(model)}) distances left join (
                select customer_unique_id, any_value(cluster) as own from {{now}}.customer_segments group by 1
            ) using (customer_unique_id)
        )
    """


def _check_figures(run: AuditedRun, entry: Mapping[str, Any], model: Mapping[str, Any]) -> list[Check]:
    now = run.with_quick("rfm", "customer_segments")
    means = ", ".join(f"avg({sql})" for sql in DIMENSIONS.values())
    rows = run.rows(f"""
        select cluster, count(*), sum(total_value), sum(distance * distance), {means}
        from {now}.customer_segments join {now}.rfm using (customer_unique_id) group by 1 order by 1
    """)
    customers, revenue = sum(row[1] for row in rows), sum((row[2] for row in rows), Decimal(0))
    by_id = {row[0]: row[1:] for row in rows}
    faults: list[Fault] = []
    stated = {each["cluster"]: each for each in entry["clusters"]}
    for cluster in sorted(stated.keys() | by_id.keys()):
        if cluster not in stated:
            faults.append(Fault({"cluster": cluster}, "cluster in the manifest", None, "one"))
            continue
        own = by_id.get(cluster)
        faults += [
            Fault({"cluster": cluster}, name, actual, expected)
            for name, actual, expected, tolerance in _compared(stated[cluster], own, customers, revenue)
            if abs(float(actual) - float(expected)) > tolerance * max(1.0, abs(float(expected)))
        ]
    inertia = sum(row[3] for row in rows)
    if abs(float(model["inertia"]) - inertia) > ROUNDING * max(1.0, inertia):
        faults.append(Fault({}, "inertia", model["inertia"], inertia))
    derived: dict[Boundary, dict[str, Any]] = {
        ("customer_segments", "cluster", str(cluster)): {"rows": own[0], "money": own[1]}
        for cluster, own in by_id.items()
    }
    checks = [Check.of(FIGURES, COMPARED_FIGURES, rows=customers, faults=faults)]
    if any(kind == "cluster" for _, kind, _ in totals_in(run.content)):
        checks.append(check_boundaries(f"{FIGURES}, totals", "rows and money of each cluster", run, derived))
    return checks


def _compared(
    stated: Mapping[str, Any], own: Sequence[Any] | None, customers: int, revenue: Decimal
) -> list[tuple[str, Any, Any, float]]:
    """The figures of a cluster: its name, the manifest's, the derived one, and how much they may differ.

    A cluster of a model that was applied may have no customers. It keeps the means that it had.
    """
    if own is None:
        return [("customers", stated["customers"], 0, 0.0), ("revenue", stated["revenue"], 0, 0.0)]
    figures = [
        ("customers", stated["customers"], own[0], 0.0),
        ("revenue", stated["revenue"], own[1], 0.0),
        ("share_of_customers", stated["share_of_customers"], own[0] / customers, ROUNDING),
        ("share_of_revenue", stated["share_of_revenue"], own[1] / revenue if revenue else 0, ROUNDING),
    ]
    units = ("weeks", "purchases", "currency_per_purchase")
    return figures + [
        (f"mean {unit}", stated["mean"][unit], mean, TOLERANCE) for unit, mean in zip(units, own[3:], strict=True)
    ]
