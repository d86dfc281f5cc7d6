"""A command on a disk that becomes full says so in one sentence, and given room leaves what it should."""

import pytest

from tests.campaign.full_disk import possible, run


@pytest.mark.nightly
@pytest.mark.skipif(not possible(), reason="this system mounts no file system for an ordinary user")
def test_a_full_disk_harms_nothing() -> None:
    report, faults = run(45, seed=45)
    assert not faults, "\n".join([report, *faults])
