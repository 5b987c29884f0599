"""The requests that describe tables and partitions to the Glue Data Catalog, made from the schemas. No call is here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql.types import StructType

from jobs.registering.columns import REGISTERED, athena_type
from jobs.storage.run_files import Manifest
from jobs.storage.store import RunStore
from transforms.data_dictionary import (
    COLUMN_DESCRIPTIONS,
    FIGURE_COLUMN_DESCRIPTIONS,
    FIGURE_TABLE_DESCRIPTIONS,
    TABLE_DESCRIPTIONS,
)
from transforms.figure_schemas import FIGURES
from transforms.schemas import TABLES

PARTITION = "run_id"
PARTITION_KEY = {"Name": PARTITION, "Type": "string", "Comment": "The run."}

CURRENT = "_current"
"""The ending of the table that shows the current run alone."""

OUTPUT = "olist_rfm_output"
"""The parameter of a table that says whose it is: the output folder of its runs."""

HIVE = "org.apache.hadoop.hive.ql.io"
PARQUET = {
    "InputFormat": f"{HIVE}.parquet.MapredParquetInputFormat",
    "OutputFormat": f"{HIVE}.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": f"{HIVE}.parquet.serde.ParquetHiveSerDe",
        "Parameters": {"serialization.format": "1"},
    },
}
JSON_LINES = {
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": f"{HIVE}.HiveIgnoreKeyTextOutputFormat",
    "SerdeInfo": {
        # Athena's documentation says of OpenX's that rows and values can be non-deterministic, and names this one.
        "SerializationLibrary": "org.apache.hive.hcatalog.data.JsonSerDe",
        "Parameters": {"serialization.format": "1"},
    },
}

Json = dict[str, Any]


@dataclass(frozen=True)
class RegisteredTable:
    """A table that is registered: partitioned by run, and once more for the current run.

    Attributes:
        name: the table's.
        output: the ``s3://`` URI of the folder of all runs.
    """

    name: str
    output: str

    @property
    def schema(self) -> StructType:
        """Its columns."""
        return REGISTERED[self.name]

    @property
    def columns(self) -> list[Json]:
        """Its columns with their types and what they mean."""
        meanings = FIGURE_COLUMN_DESCRIPTIONS if self._is_figures else COLUMN_DESCRIPTIONS
        return [
            {"Name": field.name, "Type": athena_type(field), "Comment": meanings[field.name]} for field in self.schema
        ]

    @property
    def of_all_runs(self) -> Json:
        """The table with a partition for each run."""
        description = f"{self._description} Each run is a partition."
        return self._input(self.name, description, f"{self.output}/runs/", keys=[PARTITION_KEY])

    def of_current_run(self, run: "RunInCatalogue") -> Json:
        """The table without partitions that shows one run."""
        description = f"{self._description} The run that current.json names, alone."
        return self._input(f"{self.name}{CURRENT}", description, run.location(self.name), keys=[])

    def partition(self, run: "RunInCatalogue") -> Json:
        """The partition of a run."""
        return {"Values": [run.run_id], "StorageDescriptor": self._storage(run.location(self.name)), "Parameters": {}}

    @property
    def _is_figures(self) -> bool:
        return self.name in FIGURES

    @property
    def _description(self) -> str:
        return (FIGURE_TABLE_DESCRIPTIONS if self._is_figures else TABLE_DESCRIPTIONS)[self.name]

    def _input(self, name: str, description: str, location: str, *, keys: Sequence[Mapping[str, str]]) -> Json:
        return {
            "Name": name,
            "Description": description,
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [dict(key) for key in keys],
            "Parameters": {
                "EXTERNAL": "TRUE",
                "classification": "json" if self._is_figures else "parquet",
                OUTPUT: self.output,
            },
            "StorageDescriptor": self._storage(location),
        }

    def _storage(self, location: str) -> Json:
        return {"Columns": self.columns, "Location": location, **(JSON_LINES if self._is_figures else PARQUET)}


class RunInCatalogue:
    """A complete run, and where each of its tables is."""

    def __init__(self, store: RunStore, manifest: Manifest) -> None:
        self.run_id = manifest.run_id
        self._folder, self._manifest = store.folder, manifest

    @property
    def tables(self) -> list[str]:
        """The tables that it has. Its report may be made later, so a run with scores has the tables of figures."""
        figures = FIGURES if self._manifest.segments is not None else ()
        return [*(table for table in TABLES if table in self._manifest.tables), *figures]

    def location(self, table: str) -> str:
        """The ``s3://`` URI of a table: in another run's folder if it was taken over from that.

        Of a table that the run lacks, it is a folder of the run's where nothing is: Athena finds no row there.
        """
        own = f"runs/{self.run_id}/{'figures/' if table in FIGURES else ''}{table}"
        path = self._manifest.tables.get(table, own)
        return f"{self._folder.display_path(*path.split('/'))}/"


def output_of(store: RunStore) -> str:
    """The ``s3://`` URI of the folder of all runs, whatever way the user wrote it."""
    return store.folder.display_path().rstrip("/")


def holds(present: Any, expected: Any) -> bool:
    """Whether what the catalogue has is what a request says.

    The catalogue adds members of its own. It need not return those that are empty, such as the keys of a table without
    partitions.
    """
    if isinstance(expected, Mapping):
        members = present or {}
        return isinstance(members, Mapping) and all(holds(members.get(name), of) for name, of in expected.items())
    if isinstance(expected, list):
        items = present or []
        return (
            isinstance(items, list)
            and len(items) == len(expected)
            and all(holds(*pair) for pair in zip(items, expected, strict=True))
        )
    return bool(present == expected)
