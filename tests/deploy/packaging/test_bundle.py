"""The bundles run the sample in a clean Python of the platform's version with the platform's own packages."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deploy.packaging.bundle import Bundle, build_bundle
from deploy.packaging.platforms import GLUE
from jobs.spark.java import java_home
from tests.deploy.packaging.bundles import clean_environment, manifest_of, script_of

pytestmark = pytest.mark.long

GLUES_OWN_ARGUMENTS = (
    "--JOB_ID",
    "j_1",
    "--JOB_RUN_ID",
    "jr_1",
    "--JOB_NAME",
    "olist-pipeline",
    "--TempDir",
    "s3://tmp/",
)
NEVER = {"pyspark", "py4j", "sagemaker", "sagemaker-core", "moto", "pytest", "duckdb"}


def run_sample(python: Path, bundle: Bundle, folder: Path, *paths: Path, arguments: tuple[str, ...] = ()) -> Path:
    """Run the pipeline's script as a platform does: a single file, with the zip of the code on the path."""
    sample = folder / "sample"
    subprocess.run([sys.executable, "-m", "jobs.sample", "--orders", "300", "--output", sample], check=True)
    script = script_of(bundle, folder)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "JAVA_HOME": java_home(),
        "PYTHONPATH": os.pathsep.join(map(str, (bundle.code.resolve(), *paths))),
        "SPARK_DRIVER_MEMORY": "1g",
    }
    output = folder / "output"
    completed = subprocess.run(
        [python, script, "--as-of", "2018-10-17", "--input", sample, "--output", output, *arguments],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert completed.returncode == 0, completed.stderr
    return output


@pytest.fixture(scope="module")
def glue(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return build_bundle(GLUE, architecture="x86_64", folder=tmp_path_factory.mktemp("glue"))


def names_in(bundle: Bundle) -> set[str]:
    return {wheel.partition("-")[0].replace("_", "-").lower() for wheel in bundle.packages}


def test_a_bundle_has_the_packages_of_the_gate_and_none_that_is_for_elsewhere(glue: Bundle, emr: Bundle) -> None:
    for bundle in (glue, emr):
        assert {"great-expectations", "pydantic-core", "ruamel-yaml", "scipy", "rich"} <= names_in(bundle)
        assert not names_in(bundle) & NEVER
    assert not names_in(glue) & {"boto3", "botocore", "numpy", "pandas", "pyarrow"}
    assert {"boto3", "numpy", "pandas"} <= names_in(emr)


def test_the_code_has_its_data_files_and_nothing_of_the_tests(glue: Bundle) -> None:
    names = zipfile.ZipFile(glue.code).namelist()
    assert "transforms/rfm/cards/workshop-2021.json" in names
    assert "deploy/cloudformation/jobs.yaml" in names
    assert "expectations/gx/pages/style.css" in names
    assert not [name for name in names if name.startswith(("tests", "benchmarks", "build")) or "__pycache__" in name]
    assert glue.wheel.read_bytes() == glue.code.read_bytes()


def test_two_builds_are_the_same_bytes(glue: Bundle, tmp_path: Path) -> None:
    again = build_bundle(GLUE, architecture="x86_64", folder=tmp_path)
    assert (again.code.name, again.dependencies.name) == (glue.code.name, glue.dependencies.name)
    assert again.code.read_bytes() == glue.code.read_bytes()
    assert again.dependencies.read_bytes() == glue.dependencies.read_bytes()


@pytest.mark.timeout(600)
def test_the_bundle_for_glue_runs_the_sample_beside_the_packages_of_glue(glue: Bundle, tmp_path: Path) -> None:
    python = clean_environment(tmp_path / "python", GLUE)
    shutil.unpack_archive(glue.dependencies, tmp_path / "unpacked", format="zip")
    wheels = tmp_path / "unpacked" / "wheels"
    install = (
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--find-links",
        wheels,
        "-r",
        wheels / "requirements.txt",
    )
    subprocess.run([python, *install], check=True, env={"PATH": os.environ["PATH"]})
    as_wheel = ("-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--dry-run", glue.wheel)
    subprocess.run([python, *as_wheel], check=True)
    manifest = manifest_of(run_sample(python, glue, tmp_path, arguments=GLUES_OWN_ARGUMENTS))
    assert str(manifest["platform"]["python"]).startswith("3.13")


@pytest.mark.timeout(600)
def test_the_bundle_for_emr_runs_the_sample_beside_spark_alone(
    emr: Bundle, emr_python: Path, emr_packages: Path, tmp_path: Path
) -> None:
    output = run_sample(emr_python, emr, tmp_path, emr_packages)
    manifest = manifest_of(output)
    assert str(manifest["platform"]["python"]).startswith("3.11")
    assert (output / "runs" / str(manifest["run_id"]) / "quality" / "data_docs" / "index.html").exists()
