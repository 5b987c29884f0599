"""The session of a job that was submitted: the settings are the project's, and the submitter's come first."""

import json
import subprocess
import sys
from pathlib import Path

from jobs.spark.session import AT_START, MEANING, SPEED
from tests.deploy.standalone import SPARK_SUBMIT, environment

SAYS_ITS_SETTINGS = """
import json
import sys
from pathlib import Path

from jobs.spark.session import AT_START, MEANING, SPEED, spark_session

with spark_session("settings") as session:
    found = {key: session.conf.get(key) for key in (*MEANING, *SPEED, *AT_START)}
Path(sys.argv[1]).write_text(json.dumps(found))
"""


def test_a_submitted_session_has_all_settings_and_those_of_speed_give_way(tmp_path: Path) -> None:
    script, found = tmp_path / "job.py", tmp_path / "found.json"
    script.write_text(SAYS_ITS_SETTINGS)
    threshold = "spark.sql.adaptive.maxShuffledHashJoinLocalMapThreshold"
    given = {threshold: "1m", "spark.sql.session.timeZone": "America/Sao_Paulo", "spark.ui.enabled": "false"}
    options = [part for name, value in given.items() for part in ("--conf", f"{name}={value}")]
    done = subprocess.run(
        [SPARK_SUBMIT, "--master", "local[1]", *options, script, found],
        check=False,
        capture_output=True,
        text=True,
        env=environment(tmp_path) | {"PYSPARK_PYTHON": sys.executable, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(found.read_text()) == {**MEANING, **AT_START, **SPEED, threshold: "1m"}
