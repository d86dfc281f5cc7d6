import h5py
from click.testing import CliRunner

from hessbench.cli.data import command
from hessbench.data.layout import write_reactions
from hessbench.errors import DataError
from tests.data.test_layout import METADATA, make_reaction, published


def test_verify_says_what_a_file_is_and_refuses_a_changed_one(tmp_path):
    path = tmp_path / "data.h5"
    write_reactions(path, [make_reaction()], METADATA)
    foreign = published(tmp_path / "molecules-RTP.h5")
    result = CliRunner().invoke(command, ["verify", str(path), str(foreign)])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert "test 1 GFN2-xTB " in lines[0]
    assert lines[0].endswith("1 reactions, checksum as recorded")
    assert lines[1].endswith("1 reactions, checksum none recorded")
    with h5py.File(path, "a") as file:
        file["rxn000001/forces"][0, 0, 0] += 1
    result = CliRunner().invoke(command, ["verify", str(path)])
    assert isinstance(result.exception, DataError)
