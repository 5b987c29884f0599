"""The archives run the sample, in a clean Python of the platform's version that has what the platform has."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from deploy.package import Bundle, build
from deploy.targets import EMR, GLUE, SPARK, Target
from jobs.java import java_home

pytestmark = pytest.mark.long

UV = Path(sys.executable).parent / "uv"
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


def python_of(version: str) -> Path | None:
    """An interpreter of that version on this machine, pyenv's too; none is fetched."""
    beside = [str(path) for path in Path.home().glob(f".pyenv/versions/{version}.*/bin")]
    found = subprocess.run(
        [UV, "python", "find", "--no-python-downloads", "--no-project", version],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": os.pathsep.join([*beside, os.environ["PATH"]])},
    )
    return Path(found.stdout.strip()) if found.returncode == 0 else None


def clean_environment(folder: Path, target: Target) -> Path:
    """A new Python with what the platform has: Spark, and the packages whose versions are known."""
    base = python_of(target.python)
    if base is None:
        pytest.skip(f"this machine has no Python {target.python}; the bundle for {target.name} was built and not run")
    subprocess.run([base, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    (site,) = folder.glob("lib/python*/site-packages")
    for name in SPARK:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        (site / name).symlink_to(Path(spec.origin).parent)
    has = [f"{name}=={version}" for name, version in target.preinstalled.items() if name not in {*SPARK, "pyarrow"}]
    if has:
        subprocess.run([UV, "pip", "install", "--quiet", "--no-deps", "--python", python, *has], check=True)
    return python


def run_sample(python: Path, bundle: Bundle, folder: Path, *paths: Path, arguments: tuple[str, ...] = ()) -> Path:
    """Run the pipeline's script as a platform does: a file by itself, the code a zip on the path."""
    sample = folder / "sample"
    subprocess.run([sys.executable, "-m", "jobs.sample", "--orders", "300", "--output", sample], check=True)
    script = folder / "pipeline.py"
    script.write_bytes(zipfile.ZipFile(bundle.code).read("jobs/pipeline.py"))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "JAVA_HOME": java_home(),
        "PYTHONPATH": os.pathsep.join(map(str, (bundle.code.resolve(), *paths))),
        "SPARK_DRIVER_MEMORY": "1g",
    }
    output = folder / "output"
    done = subprocess.run(
        [python, script, "--as-of", "2018-10-17", "--input", sample, "--output", output, *arguments],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return output


def manifest_of(output: Path) -> dict[str, Any]:
    current = json.loads((output / "current.json").read_text())
    manifest: dict[str, Any] = json.loads((output / current["manifest"]).read_text())
    return manifest


@pytest.fixture(scope="module")
def glue(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return build(GLUE, architecture="x86_64", folder=tmp_path_factory.mktemp("glue"))


@pytest.fixture(scope="module")
def emr(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return build(EMR, architecture="x86_64", folder=tmp_path_factory.mktemp("emr"))


def names_in(bundle: Bundle) -> set[str]:
    return {wheel.partition("-")[0].replace("_", "-").lower() for wheel in bundle.packages}


def test_a_bundle_has_what_the_gate_needs_and_nothing_that_is_for_elsewhere(glue: Bundle, emr: Bundle) -> None:
    for bundle in (glue, emr):
        assert {"great-expectations", "pydantic-core", "ruamel-yaml", "scipy", "rich"} <= names_in(bundle)
        assert not names_in(bundle) & NEVER
    assert not names_in(glue) & {"boto3", "botocore", "numpy", "pandas", "pyarrow"}
    assert {"boto3", "numpy", "pandas"} <= names_in(emr)


def test_the_code_has_the_files_that_are_no_modules_and_nothing_of_the_tests(glue: Bundle) -> None:
    names = zipfile.ZipFile(glue.code).namelist()
    assert "transforms/cards/workshop-2021.json" in names
    assert "deploy/cloudformation/jobs.yaml" in names
    assert "expectations/data_docs_pages/style.css" in names
    assert not [name for name in names if name.startswith(("tests", "benchmarks", "build")) or "__pycache__" in name]
    assert glue.wheel.read_bytes() == glue.code.read_bytes()


def test_two_builds_are_the_same_bytes(glue: Bundle, tmp_path: Path) -> None:
    again = build(GLUE, architecture="x86_64", folder=tmp_path)
    assert (again.code.name, again.dependencies.name) == (glue.code.name, glue.dependencies.name)
    assert again.code.read_bytes() == glue.code.read_bytes()
    assert again.dependencies.read_bytes() == glue.dependencies.read_bytes()


@pytest.mark.timeout(600)
def test_the_bundle_for_glue_runs_the_sample_beside_what_glue_has(glue: Bundle, tmp_path: Path) -> None:
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
    assert manifest["ignored_arguments"] == ["--JOB_ID", "--JOB_RUN_ID", "--JOB_NAME", "--TempDir"]


@pytest.mark.timeout(600)
def test_the_bundle_for_emr_runs_the_sample_beside_spark_alone(emr: Bundle, tmp_path: Path) -> None:
    python = clean_environment(tmp_path / "python", EMR)
    shutil.unpack_archive(emr.dependencies, tmp_path / "environment", format="zip")
    output = run_sample(python, emr, tmp_path, tmp_path / "environment" / "site-packages")
    manifest = manifest_of(output)
    assert str(manifest["platform"]["python"]).startswith("3.11")
    assert (output / "runs" / str(manifest["run_id"]) / "quality" / "data_docs" / "index.html").exists()
