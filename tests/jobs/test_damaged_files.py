"""A damaged or edited file of an earlier run, or of a user, ends in one line with what to do, and never in a traceback.

The programs run as far as Spark would start. What follows has only typed values, and tests of its own.
"""

import json
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jobs import features, pipeline, publish, replay, segments
from jobs.cli.config import RunOptions
from jobs.quality.active_rules import ActiveRules
from jobs.runs.run import Run
from jobs.sources.olist import OlistSource
from jobs.spark.session import Workload
from jobs.storage.local import describe_file
from jobs.storage.run_files import read_manifest
from jobs.storage.store import RunStore
from jobs.warehouse.load_plan import RunToLoad
from jobs.warehouse.redshift_statements import load_statements
from jobs.warehouse.target import WarehouseTarget
from tests.jobs.clusters.test_artifact import CENTRES, mxnet, packed
from tests.jobs.damage import damaged_archive, damaged_bytes, damaged_json, damaged_yaml
from tests.log_lines import without_logs
from tests.raw_files import RawFiles
from transforms.clusters.drift import drift_between
from transforms.clusters.matching import matched_ids
from transforms.clusters.model import ClusterModel, ModelError
from transforms.rfm.dimensions import DIMENSIONS

RUN = "2018-06-30-release-0.1"
AS_OF = ["--as-of", "2018-06-30"]
EACH, EACH_IN_SOAK = 100, 2000
"""Changes to each of the six kinds of file. Six hundred take eight seconds."""

RULES = """\
payments:
  change:
    between(payment_value): &grave {severity: stop, high: 50000}
    between(payment_installments): {<<: *grave, high: 24}
  add:
    - {kind: mean_between, column: payment_value, low: 50, high: 500, severity: warn}
    - {kind: matches, column: payment_type, pattern: "^[a-z_]+$", severity: warn}
orders:
  change:
    between(order_approved_at): {low: 2016-01-01, high: 2018-12-31}
  add:
    - {kind: in_set, column: customer_id, values: [c1, c2], severity: warn}
"""


class SparkReachedError(Exception):
    """Spark would start here, or read a table."""


@dataclass(frozen=True)
class Kind:
    """A kind of file that is read back: where it is, how it is damaged, and the programs that read it."""

    path: str
    damage: Callable[[Any, random.Random], bytes]
    programs: Sequence[tuple[Callable[[Sequence[str]], int], Sequence[str]]]

    def damaged(self, whole: bytes, chance: random.Random) -> bytes:
        as_text = self.damage in (damaged_json, damaged_yaml)
        return self.damage(whole.decode() if as_text else whole, chance)


FEATURES, SEGMENTS = (features.main, AS_OF), (segments.main, ["--k", "2"])
SCORING = (segments.main, ["--score-with", RUN])
REPLAY = (replay.main, [*AS_OF, "--input", "{output}/input", "--replayed-run", RUN])
PUBLISH = (publish.main, ["--warehouse", "duckdb:{output}/w.duckdb"])
RAW_COPY = (publish.main, [*PUBLISH[1], "--raw-copy", "--input", "{output}/input"])
PIPELINE = (pipeline.main, [*AS_OF, "--input", "{output}/input"])
WITHOUT_CLUSTERS = (pipeline.main, [*PIPELINE[1], "--kmeans", "none"])
ARTIFACT = ["--assignments", "{output}/assigned", "--model-artifact", "{output}/model.tar.gz"]
KINDS = {
    "pointer": Kind("current.json", damaged_json, [FEATURES, SEGMENTS, PUBLISH, PIPELINE]),
    "manifest": Kind(f"runs/{RUN}/manifest.json", damaged_json, [FEATURES, SEGMENTS, SCORING, REPLAY, RAW_COPY]),
    "card": Kind(
        f"runs/{RUN}/score_card.json",
        damaged_json,
        [SEGMENTS, (features.main, [*AS_OF, "--card", f"{{output}}/runs/{RUN}/score_card.json"])],
    ),
    "model": Kind(
        f"runs/{RUN}/kmeans_model.json",
        damaged_json,
        [SEGMENTS, SCORING, PIPELINE, (segments.main, ["--match", RUN, "--k", "2"])],
    ),
    "rules": Kind("rules.yml", damaged_yaml, [(features.main, [*AS_OF, "--rules", "{output}/rules.yml"])]),
    "artifact": Kind("model.tar.gz", damaged_archive, [(segments.main, ARTIFACT)]),
}


@contextmanager
def run_without_spark(
    job: str, options: RunOptions, store: RunStore, rules: ActiveRules, *, workload: Workload
) -> Iterator[Run]:
    """A run in a folder of its own, which reads no table."""
    run_id = store.open_run(as_of=options.as_of, run_id=options.run_id)
    quality: Any = SimpleNamespace(rules=rules, run_id=run_id)
    session: Any = SimpleNamespace(workload=workload)
    yield Run(job, options, store, session, quality)


def reached(*_: object, **__: object) -> None:
    raise SparkReachedError


class WarehouseOfStatements:
    """Redshift, as far as its statements are made."""

    def load(self, run: RunToLoad) -> None:
        statements = load_statements(run, load_id="l", schema="segments", copies={}, iam_role="default")
        assert not [statement for statement in statements if "grant" in statement.sql or "1=1" in statement.sql]
        raise SparkReachedError

    load_raw = reached


@pytest.fixture(autouse=True)
def no_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    for step in (features, segments, replay, pipeline):
        monkeypatch.setattr(step, "open_run", run_without_spark)
    monkeypatch.setattr(Run, "_read", lambda *_: None)
    monkeypatch.setattr(Run, "step", lambda *_: nullcontext())
    for module, name in (
        *((OlistSource, "transactions"), (pipeline, "ingest"), (replay, "plan_replay")),
        *((segments, "_train"), (segments, "assigned_customers"), (segments, "read_sagemaker_assignments")),
    ):
        monkeypatch.setattr(module, name, reached)
    monkeypatch.setattr(replay, "under_their_names", lambda *_: None)
    monkeypatch.setattr(replay, "Reading", lambda *_: SimpleNamespace(rows_at_once=lambda: None))
    monkeypatch.setattr(WarehouseTarget, "open_warehouse", lambda *_: WarehouseOfStatements())


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """The output folder of release 0.1, with a manifest in today's form, and the files that a user gives."""
    output = Path(shutil.copytree(Path(__file__).parent / "data" / "release-0.1", tmp_path / "o"))
    raw = RawFiles(output / "input")
    raw.write()
    path = output / "runs" / RUN / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["totals"] = [total.as_json() for total in read_manifest(path.read_text(), name="").totals]
    files = {"customers": raw.customers_file, "orders": raw.orders_file, "payments": raw.payments_file}
    manifest["inputs"] = {
        "files": [{"table": name, "files": [describe_file(file).as_json()]} for name, file in files.items()]
    }
    path.write_text(json.dumps(manifest))
    (output / "rules.yml").write_text(RULES)
    (output / "assigned").mkdir()
    (output / "assigned" / "part.csv.out").write_text("x\n")
    packed(output / "model.tar.gz", mxnet(CENTRES))
    return output


def ended(program: tuple[Callable[[Sequence[str]], int], Sequence[str]], output: Path, capfd: Any) -> tuple[int, str]:
    """The exit code of a program, and what it wrote to stderr. It is 0 where Spark would start."""
    main, arguments = program
    try:
        code = main(["--output", str(output), *(argument.format(output=output) for argument in arguments)])
    except SparkReachedError:
        code = 0
    return code, "\n".join(without_logs(capfd.readouterr().err))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_program_comes_to_where_spark_starts_with_files_that_are_whole(
    output: Path, kind: Kind, capfd: pytest.CaptureFixture[str]
) -> None:
    for program in kind.programs:
        assert ended(program, output, capfd) == (0, "")


@pytest.mark.parametrize(
    "program",
    [FEATURES, (features.main, [*AS_OF, "--checked-run", RUN]), SEGMENTS, PUBLISH, PIPELINE, WITHOUT_CLUSTERS],
)
def test_a_half_written_pointer_stops_a_program_before_any_work(
    output: Path, program: tuple[Any, Sequence[str]], capfd: pytest.CaptureFixture[str]
) -> None:
    text = (output / "current.json").read_text()
    (output / "current.json").write_text(text[: len(text) // 2])
    code, error = ended(program, output, capfd)
    assert code == 3
    assert "invalid JSON" in error
    assert "Restore it, or remove it: then the next run becomes current" in error
    assert [path.name for path in (output / "runs").iterdir()] == [RUN]


def check_damage(kind: Kind, output: Path, capfd: Any, *, times: int) -> set[int]:
    """Run all programs over so many damaged files, and return the exit codes that were met."""
    path, chance, codes = output / kind.path, random.Random(f"2018 {kind.path}"), set()
    whole = path.read_bytes()
    for number in range(times):
        path.write_bytes(kind.damaged(whole, chance))
        for program in kind.programs:
            where = f"change {number} of {kind.path}, {program[0].__module__} {program[1]}"
            try:
                code, error = ended(program, output, capfd)
            except Exception as unexpected:
                raise AssertionError(f"{where}: {type(unexpected).__name__}") from unexpected
            assert code in (0, 2, 3), f"{where}: {code}, {error}"
            assert error.count("\n") == 0, f"{where}: {error}"
            assert bool(error) == (code != 0), f"{where}: {code}, {error}"
            assert error.isprintable(), f"{where}: {error!r}"
            assert len(error) < 500, f"{where}: {len(error)} characters, {error}"
            codes.add(code)
    return codes


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_damaged_file_ends_in_one_line(output: Path, kind: Kind, capfd: pytest.CaptureFixture[str]) -> None:
    assert check_damage(kind, output, capfd, times=EACH) & {2, 3}


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_thousands_of_damaged_files_end_in_one_line_each(
    output: Path, kind: Kind, capfd: pytest.CaptureFixture[str]
) -> None:
    assert check_damage(kind, output, capfd, times=EACH_IN_SOAK) & {2, 3}


def test_new_clusters_can_be_matched_to_every_model_that_is_read(output: Path) -> None:
    text, chance, read = (output / "runs" / RUN / "kmeans_model.json").read_text(), random.Random(2018), 0
    whole = ClusterModel.from_json(text)
    means = {cluster.id: cluster.means for cluster in whole.clusters}
    for _ in range(300):
        damaged = damaged_json(text, chance).decode("utf-8", "replace")
        try:
            model = ClusterModel.from_json(damaged)
        except ModelError:
            continue
        read += 1
        ids = matched_ids(means, model, first_free=model.next_id)
        assert len(set(ids.values())) == len(means)
        drift_between(earlier=model, current=whole).as_json()
        assert all(isinstance(model.scale.value(name, 3.0), float) for name in DIMENSIONS)
        assert ClusterModel.from_json(model.to_json()) == model
    assert read > 20


def test_the_changes_are_the_same_each_time() -> None:
    first, second = (damaged_bytes(b"0123456789", random.Random(7)) for _ in range(2))
    assert first == second
