import hashlib
import zipfile
from pathlib import Path

import pytest

from deploy.packaging.archives import content_key, read_zip, write_zip


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_same_files_make_the_same_bytes_in_whatever_order_they_come(tmp_path: Path, compression: int) -> None:
    write_zip(tmp_path / "one.zip", {"a.py": b"1", "b/c.py": b"2"}, compression=compression)
    write_zip(tmp_path / "two.zip", {"b/c.py": b"2", "a.py": b"1"}, compression=compression)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert read_zip(tmp_path / "one.zip") == {"a.py": b"1", "b/c.py": b"2"}


def test_the_key_is_of_names_and_contents() -> None:
    lines = f"a.py\0{hashlib.sha256(b'1').hexdigest()}\nb.py\0{hashlib.sha256(b'2').hexdigest()}\n"
    assert content_key({"b.py": b"2", "a.py": b"1"}) == hashlib.sha256(lines.encode()).hexdigest()[:16]


@pytest.mark.parametrize("other", [{"a.py": b"2"}, {"b.py": b"1"}, {"a.py": b"1", "b.py": b""}])
def test_another_name_or_content_is_another_key(other: dict[str, bytes]) -> None:
    assert content_key(other) != content_key({"a.py": b"1"})
