"""Where runs are kept and files are read: local disk and S3 behind one interface, `Folder`."""

from jobs.storage.folder import Folder, Stored, StoredFile, StoredObject
from jobs.storage.local import LocalFolder, stored_file
from jobs.storage.places import folder_at, for_reading, is_in_s3
from jobs.storage.s3 import S3Folder
from jobs.storage.store import FAILURE, MANIFEST, POINTER, RunStore

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
    "for_reading",
    "is_in_s3",
    "stored_file",
]
