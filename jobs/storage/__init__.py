"""Where runs are kept and files are read: local disk and S3 behind one interface, `Folder`."""

from jobs.storage.folder import Folder, Stored, StoredFile, StoredObject
from jobs.storage.local import LocalFolder, describe_file
from jobs.storage.s3 import S3Folder
from jobs.storage.store import FAILURE, MANIFEST, POINTER, RunStore
from jobs.storage.uris import escape_glob, folder_at, is_in_s3

__all__ = [
    "FAILURE",
    "MANIFEST",
    "POINTER",
    "Folder",
    "LocalFolder",
    "RunStore",
    "S3Folder",
    "Stored",
    "StoredFile",
    "StoredObject",
    "folder_at",
    "escape_glob",
    "is_in_s3",
    "describe_file",
]
