"""The whole way, in one session: CSV files to checked tables to transactions, purchases, RFM and clusters."""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace

from jobs.cli.config import RunConfig
from jobs.cli.main import program
from jobs.clusters.previous import previous_clusters
from jobs.clusters.summary import notes, show
from jobs.errors import PipelineError
from jobs.features import features
from jobs.ingest import ingest
from jobs.publish import PublishConfig, publish
from jobs.quality.active_rules import active_rules
from jobs.runs.run import opened_run
from jobs.segments import segments
from jobs.sources.csv_files import find_sources, inputs_of
from jobs.sources.score_cards import load_card
from jobs.storage.store import RunStore
from jobs.warehouse.target import Target, parse_address


def main(argv: Sequence[str] | None = None) -> int:
    """Run the pipeline; see ``--help``."""
    return program("pipeline", lambda: run_pipeline(RunConfig.from_argv(argv, step="pipeline")))


def run_pipeline(config: RunConfig) -> None:
    """Make a run of all steps, move the pointer to it, and load it into the warehouse if there is one."""
    card = load_card(config.card, config.feature_scale) if config.card else None
    rules = active_rules(config.rules)
    sources = find_sources(config.input or "", rules.of_files)
    publication = publication_of(config)
    store = RunStore(config.output)
    before = None if config.kmeans == "none" else previous_clusters(store, config.match)
    with opened_run(config, store, rules) as this:
        customers = features(this, ingest(this, sources), card=card)
        found = segments(this, customers, earlier=before) if before else None
        this.finish(inputs=inputs_of(sources), becomes_current=True)
        this.summarise(*(notes(found) if found else ()))
        if found:
            show(found)
    if publication is not None:
        load(publication, config, this.run_id)


def load(publication: PublishConfig, config: RunConfig, run_id: str) -> None:
    """Load the run, which is whole by now and stays so, whatever becomes of this."""
    told = ["--output", config.output, "--run", run_id, "--warehouse", str(config.warehouse)]
    told += ["--staging", config.staging, "--iam-role", config.iam_role] if config.staging else []
    advice = f"Run {run_id} is whole; load it with: python -m jobs.publish {shlex.join(told)}"
    try:
        publish(replace(publication, run=run_id))
    except PipelineError as error:
        raise type(error)(f"{error}. {advice}") from None
    except KeyboardInterrupt as interrupt:
        said = str(interrupt) or "nothing was loaded, or all of it"
        raise KeyboardInterrupt(f"{said}. {advice}") from None


def publication_of(config: RunConfig) -> PublishConfig | None:
    """Where the run is published, opened for a moment so that a bad address costs no run.

    Raises:
        ConfigurationError: It cannot be one.
    """
    if config.warehouse is None:
        return None
    target = Target(parse_address(config.warehouse), config.iam_role, config.staging)
    target.opened()
    return PublishConfig(config.output, target)


if __name__ == "__main__":
    sys.exit(main())
