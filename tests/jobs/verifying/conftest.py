"""Two runs over the shop, which verification looks at and a test may damage."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from jobs import pipeline
from tests.jobs.published import K
from tests.jobs.shop import AS_OF, shop
from tests.jobs.verifying.damaged_runs import DamagedRun
from tests.raw_files import RawFiles

SECOND_DAY = AS_OF + timedelta(days=40)
SECOND = f"{SECOND_DAY}-second"


@pytest.fixture(scope="session")
def two_runs(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of the shop's first run, and of one forty days later; to look at."""
    output = Path(shutil.copytree(published, tmp_path_factory.mktemp("two-runs") / "output"))
    raw = shop(output.parent)
    change(raw)
    arguments = ["--as-of", str(SECOND_DAY), "--input", raw.write(), "--output", str(output)]
    assert pipeline.main([*arguments, "--k", str(K), "--run-id", SECOND]) == 0
    return output


def change(raw: RawFiles) -> None:
    """Purchases after the first run, a correction of the past, one customer who is new, and one who vanished."""
    for number in range(0, 60, 4):
        raw.orders.append(f'"o{900 + number}","c{number}",delivered,{AS_OF + timedelta(days=9)} 08:00:00,,,,')
        raw.payments.append(f'"o{900 + number}",1,boleto,1,{50 + 7 * number}.25')
    raw.customers.append('"c990","c990","09790",sao paulo,SP')
    raw.orders.append(f'"o990","c990",delivered,{AS_OF - timedelta(days=3)} 08:00:00,,,,')
    raw.payments.append('"o990",1,boleto,1,77.10')
    raw.payments[1:4] = [line.replace(",1,credit_card,1,", ",1,credit_card,1,9") for line in raw.payments[1:4]]
    vanished = {line.split(",")[0] for line in raw.orders if ',"c2",' in line}
    raw.customers = [line for line in raw.customers if not line.startswith('"c2",')]
    raw.orders = [line for line in raw.orders if line.split(",")[0] not in vanished]
    raw.payments = [line for line in raw.payments if line.split(",")[0] not in vanished]


@pytest.fixture
def damaged(two_runs: Path, tmp_path: Path) -> DamagedRun:
    """The second run, for one test to change."""
    return DamagedRun(Path(shutil.copytree(two_runs, tmp_path / "output")), SECOND)
