from deploy.packaging.platforms import EMR, GLUE
from deploy.packaging.wheels import read_lock

ONE, TWO, THREE = ("sha256:" + digit * 64 for digit in "123")
LOCK = f"""\
six==1.17.0 \\
    --hash={ONE} \\
    --hash={TWO}
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash={ONE}
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash={THREE}
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash={TWO}
Ruamel_YAML==0.19.1 \\
    --hash={TWO}
"""


def test_a_lock_gives_the_version_for_the_platform_and_not_for_this_machine() -> None:
    assert read_lock(LOCK, GLUE.marker_environment("x86_64"))["numpy"].version == "2.5.5"
    assert read_lock(LOCK, EMR.marker_environment("x86_64"))["numpy"].version == "2.4.6"


def test_a_pin_for_another_system_alone_is_excluded() -> None:
    assert set(read_lock(LOCK, GLUE.marker_environment("x86_64"))) == {"six", "numpy", "ruamel-yaml"}


def test_a_pin_keeps_all_its_hashes() -> None:
    pin = read_lock(LOCK, GLUE.marker_environment("x86_64"))["six"]
    assert pin.as_line() == f"six==1.17.0 --hash={ONE} --hash={TWO}"
