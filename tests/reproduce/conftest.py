from pathlib import Path

import pytest

from tests.reproduce.synthetic_results import write_all


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with results/, models/ and tables/ of made-up results; do not change it, copy it."""
    folder = tmp_path_factory.mktemp("synthetic")
    write_all(folder)
    return folder
