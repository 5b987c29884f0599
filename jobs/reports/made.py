"""How a run was made: its inputs, settings and versions, and the command that makes the same rows again."""

import shlex

from expectations.contracts.olist import FILE_CONTRACTS
from jobs.cli.argument_types import MAX_QUARANTINED
from jobs.cli.arguments import DEFAULT_K
from jobs.reports.figures import Figure, Shown, Table
from jobs.reports.reported_run import SHIPPED, ReportedManifest, ReportedRun
from transforms.rfm.score_card import DEFAULT_PERCENTS

Setting = tuple[str, str]


def inputs_table(run: ReportedRun) -> Table | None:
    """The files that the run, or the run that it continues, read; None if no manifest of them is left."""
    for manifest in (run.manifest, *run.earlier):
        if manifest.inputs.files:
            rows: list[list[Shown]] = [
                [each.table, file.path, Figure(file.size), file.digest[:12]]
                for each in manifest.inputs.files
                for file in each.files[:MOST_FILES]
            ]
            rows += [
                [each.table, f"table {each.catalogue_table.name}", "", each.catalogue_table.snapshot or "no snapshot"]
                for each in manifest.inputs.files
                if each.catalogue_table
            ]
            by = "" if manifest is run.manifest else f" by run {manifest.run_id}"
            return Table(f"Files that were read{by}", ["table", "file", "bytes", "checksum"], rows, text_columns=2)
    return None


MOST_FILES = 20
"""Files of a table that are listed; the manifest has all."""


def settings_of(run: ReportedRun) -> list[Setting]:
    """What the run was made with, by name."""
    manifest, card = run.manifest, run.card
    code, platform = manifest.code, manifest.platform
    applied = run.recorded_card.applied
    percents = ", ".join(f"{percent:g}" for percent in card.scored_by.percents)
    window = card.scored_by.window_months
    return [
        ("run", manifest.run_id),
        ("made by", f"jobs.{manifest.job}" + (f" in {manifest.seconds:.0f} s" if manifest.seconds else "")),
        ("finished", manifest.finished_at.isoformat(sep=" ") if manifest.finished_at else "not known"),
        (
            "score card",
            f"{card.name}, hash {card.hash}, " + (f"applied {applied}" if applied else "fitted to these customers"),
        ),
        ("cut at", f"the percentiles {percents} of " + (f"the last {window} months" if window else "all history")),
        ("segment map", f"{run.segments.map.name}, hash {run.segments.map.hash}"),
        ("purchases", f"value: {manifest.configuration.purchase_value} of the payments"),
        *_about_source(run),
        ("configuration", f"hash {manifest.configuration_hash}"),
        ("engine", platform.get("engine", "spark")),
        ("versions", f"Spark {platform.get('spark', '?')}, Python {platform.get('python', '?')}"),
        ("code", f"version {code.get('version', '?')}, commit {code.get('commit') or 'not known'}"),
    ]


def _about_source(run: ReportedRun) -> list[Setting]:
    source = run.source
    if source is None:
        return [("order statuses", ", ".join(_listed(run.manifest.configuration.order_statuses)))]
    zone = source.time_zone or "as in the ledger"
    return [
        ("mapping", f"{source.mapping.given}, sha256 {source.mapping.sha256[:12]}, kept as {source.mapping.file}"),
        *([("rates", f"{source.rates.given}, sha256 {source.rates.sha256[:12]}")] if source.rates else []),
        ("currency, time zone", f"{source.currency}, {zone}"),
    ]


def command_of(run: ReportedRun, *, output: str) -> str:
    """The command that makes the same rows again, as a new run."""
    manifest = run.manifest
    words = ["python", "-m", f"jobs.{manifest.job}"]
    match manifest.job:
        case "segments":
            words += ["--features-run", manifest.inputs.features_run or "", *_clusters(manifest)]
        case "features":
            words += ["--as-of", f"{manifest.as_of}", "--checked-run", manifest.inputs.checked_run or ""]
            words += _features(run, output)
        case "backfill":
            words += ["--from", f"{manifest.as_of}", "--to", f"{manifest.as_of}", "--every", "month"]
            words += ["--checked-run", manifest.inputs.checked_run or "", *_features(run, output)]
            words += _clusters(manifest) if manifest.kmeans else ["--kmeans", "none"]
        case _:
            words += ["--as-of", f"{manifest.as_of}", "--input", _input_folder(manifest), *_source(run, output)]
            words += _features(run, output)
            words += _budget(manifest) + (_clusters(manifest) if manifest.kmeans else ["--kmeans", "none"])
    rules = manifest.quality.rules.file if manifest.quality else None
    return shlex.join([*words, *(["--rules", rules] if rules else []), "--output", output])


def _source(run: ReportedRun, output: str) -> list[str]:
    source = run.source
    if source is None:
        return []
    # The rates are beside the mapping that the user gave, under a name of their own. A run keeps them under another.
    mapping = source.mapping.given if source.rates else f"{output.rstrip('/')}/{source.mapping.file}"
    return ["--source", "ledger", "--mapping", mapping]


def _features(run: ReportedRun, output: str) -> list[str]:
    settings, options = run.manifest.configuration, []
    if settings.order_statuses != "all":
        options += ["--order-statuses", ",".join(_listed(settings.order_statuses))]
    if settings.purchase_value != "sum":
        options += ["--purchase-value", settings.purchase_value]
    if run.manifest.validation:
        options += ["--validate-days", f"{run.manifest.validation.days}"]
    return options + _scoring(run, output)


def _scoring(run: ReportedRun, output: str) -> list[str]:
    """A card that was applied, or fitted with a user's map, is applied from the run; else it is fitted again."""
    settings, scored_by = run.manifest.configuration, run.card.scored_by
    if settings.card != "fitted" or settings.scores.segment_map != SHIPPED:
        return ["--card", f"{output.rstrip('/')}/{run.recorded_card.file}"]
    options = []
    if scored_by.percents != DEFAULT_PERCENTS:
        options += ["--score-percentiles", ",".join(map(str, scored_by.stated_percents))]
    if scored_by.window_months is not None:
        options += ["--window-months", f"{scored_by.window_months}"]
    if run.card.clustered_by.kind != "minmax":
        options += ["--feature-scale", run.card.clustered_by.kind]
    return options


def _clusters(manifest: ReportedManifest) -> list[str]:
    kmeans = manifest.configuration.kmeans
    if kmeans.score_with:
        return ["--score-with", kmeans.score_with]
    options = []
    if kmeans.k not in (None, DEFAULT_K):
        options += ["--k", f"{kmeans.k}"]
    if kmeans.k_range:
        options += ["--k-range", "-".join(map(str, kmeans.k_range))]
    trained = manifest.kmeans
    if trained and trained.engine == "sagemaker" and trained.assignments:
        options += ["--assignments", trained.assignments]
        options += [word for file in manifest.inputs.model_artifact or () for word in ("--model-artifact", file.path)]
    return [*options, "--match", (trained.matched_to if trained else None) or "none"]


def _budget(manifest: ReportedManifest) -> list[str]:
    budget = manifest.quality.max_quarantined if manifest.quality else MAX_QUARANTINED
    return [] if budget == MAX_QUARANTINED else ["--max-quarantined", f"{budget}"]


def _input_folder(manifest: ReportedManifest) -> str:
    """What ``--input`` named; where that is not recorded, what is above the part of a path with a table's name."""
    if manifest.inputs.input is not None:
        return manifest.inputs.input
    names = {contract.table: contract.file for contract in FILE_CONTRACTS}
    for each in manifest.inputs.files or ():
        for file in each.files:
            parts = file.path.split("/")
            is_named = [part.lower().partition(".")[0] == names.get(each.table) for part in parts]
            if True in is_named:
                return "/".join(parts[: len(parts) - is_named[::-1].index(True) - 1])
    return "INPUT"


def _listed(statuses: str | list[str]) -> list[str]:
    return statuses if isinstance(statuses, list) else [statuses]
