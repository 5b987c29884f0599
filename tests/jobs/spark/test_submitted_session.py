"""The session of a submitted job: it has the project's settings, and the submitter may override those of speed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.spark.session import RESULTS, SPEED, STARTUP
from tests.deploy.standalone import SPARK_SUBMIT, environment

JOB = """
import json
import sys
from pathlib import Path

from jobs.spark.session import RESULTS, SPEED, STARTUP, spark_session

with spark_session("settings") as session:
    settings = {key: session.conf.get(key) for key in (*RESULTS, *SPEED, *STARTUP)}
Path(sys.argv[1]).write_text(json.dumps(settings))
"""


@pytest.mark.long
def test_a_submitted_session_has_all_settings_and_the_submitter_overrides_speed(tmp_path: Path) -> None:
    script, output = tmp_path / "job.py", tmp_path / "settings.json"
    script.write_text(JOB)
    threshold = "spark.sql.adaptive.maxShuffledHashJoinLocalMapThreshold"
    submitted = {threshold: "1m", "spark.sql.session.timeZone": "America/Sao_Paulo", "spark.ui.enabled": "false"}
    options = [part for name, value in submitted.items() for part in ("--conf", f"{name}={value}")]
    done = subprocess.run(
        [SPARK_SUBMIT, "--master", "local[1]", *options, script, output],
        check=False,
        capture_output=True,
        text=True,
        env=environment(tmp_path) | {"PYSPARK_PYTHON": sys.executable, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(output.read_text()) == {**RESULTS, **STARTUP, **SPEED, threshold: "1m"}
