import contextlib
import csv
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from hessbench.cli.generate import command
from hessbench.data.layout import ReactionFile, verify
from hessbench.errors import HessbenchError
from hessbench.generate.datasets import make_geometries, make_irc, make_nms, make_rtp
from hessbench.generate.settings import GenerateConfig
from hessbench.reactions.geometry_file import read_geometries
from tests.generate.conftest import hydrogen_cyanide, inversion


def failures(output: Path) -> list[list[str]]:
    with output.with_name(output.stem + "-failures.csv").open() as file:
        return list(csv.reader(file))


@pytest.fixture
def source(geometries_npz):
    broken = inversion("rxn000003", seed=4)
    del broken.coordinates["TS"]
    return geometries_npz([inversion(seed=3), hydrogen_cyanide(), broken])


def test_from_geometries_to_normal_mode_samples(tmp_path, source, config, cluster):
    refined, rtp, irc, nms = (tmp_path / f"{name}.h5" for name in ("geometries", "rtp", "irc", "nms"))
    assert "8 structures of 3 reactions; 1 failures" in make_geometries(source, refined, cluster, config)
    assert failures(refined)[1:] == [["rxn000003", "TS", "no starting geometry"]]
    assert len(read_geometries(refined)) == 3

    assert "8 structures of 3 reactions; 1 failures" in make_rtp(refined, rtp, None, cluster, config)
    assert "of 2 reactions; 0 failures" in make_irc(rtp, irc, None, cluster, config)
    assert "of 2 reactions" in make_nms(irc, nms, None, cluster, config)
    for path, name in ((rtp, "RTP"), (irc, "IRC"), (nms, "NMS")):
        with verify(path) as file:
            assert file.identifier.startswith(f"hessbench {name} 2 GFN2-xTB ")
            assert "Grambow" in file.metadata.citation
            assert "tblite" in file.metadata.generator
    with ReactionFile(nms) as file, ReactionFile(irc) as paths:
        assert file.names == paths.names == ["rxn000001", "rxn000002"]

    again = tmp_path / "again" / "rtp.h5"
    make_rtp(refined, again, None, cluster, config)
    assert again.read_bytes() == rtp.read_bytes()


def test_a_number_of_reactions_is_chosen_among_complete_ones_by_the_seed(tmp_path, source, config, cluster):
    output = tmp_path / "rtp.h5"
    make_rtp(source, output, 1, cluster, config)
    with ReactionFile(output) as file:
        first = file.names
    make_rtp(source, output, 2, cluster, config)  # extends the first
    with ReactionFile(output) as file:
        assert set(first) < set(file.names) == {"rxn000001", "rxn000002"}
    with pytest.raises(HessbenchError, match="3 reactions asked for, but only 2 are suitable"):
        make_rtp(source, output, 3, cluster, config)


def test_levels_are_not_mixed(tmp_path, source, config, cluster):
    output = tmp_path / "rtp.h5"
    make_rtp(source, output, 1, cluster, config)
    other = GenerateConfig(level="GFN1-xTB")
    with pytest.raises(HessbenchError, match=r"level of theory is GFN2-xTB, generate\.level is GFN1-xTB"):
        make_irc(output, tmp_path / "irc.h5", None, cluster, other)
    with pytest.raises(HessbenchError, match="made with level GFN2-xTB instead of GFN1-xTB"):
        make_rtp(source, output, 1, cluster, other)


def test_sources_are_not_mixed(tmp_path, source, geometries_npz, config, cluster):
    output = tmp_path / "rtp.h5"
    make_rtp(source, output, 1, cluster, config)
    before = output.read_bytes()
    other = geometries_npz([inversion(seed=5), hydrogen_cyanide()])
    with pytest.raises(HessbenchError, match=r"made with source \w+ instead of \w+; delete it"):
        make_rtp(other, output, 1, cluster, config)
    assert output.read_bytes() == before


def test_level_is_known_before_a_journal_is_begun(tmp_path, source, cluster):
    with pytest.raises(HessbenchError, match="Unknown level of theory 'B3LYP'; choose one of GFN2-xTB"):
        make_rtp(source, tmp_path / "rtp.h5", 1, cluster, GenerateConfig(level="B3LYP"))
    assert not (tmp_path / "rtp.h5.journal").exists()


def test_command_line(tmp_path, source, cluster):
    params = tmp_path / "params.yaml"
    params.write_text("generate: {irc_structures: 5, level: GFN1-xTB}\n")
    arguments = ["--scheduler", cluster.scheduler, "--params", str(params)]
    rtp, irc = str(tmp_path / "rtp.h5"), str(tmp_path / "irc.h5")
    runner = CliRunner()
    result = runner.invoke(command, ["rtp", str(source), "--output", rtp, "--reactions", "1", *arguments])
    assert result.exit_code == 0, result.output
    result = runner.invoke(command, ["irc", rtp, "--output", irc, *arguments], catch_exceptions=False)
    assert "5 structures of 1 reactions; 0 failures" in result.output
    with ReactionFile(irc) as file:
        assert file.metadata.level == "GFN1-xTB"
    result = runner.invoke(command, ["rtp", str(tmp_path / "x.txt"), "--output", rtp])
    assert isinstance(result.exception, HessbenchError)


def finished(journal: Path) -> int:
    if not journal.exists():
        return 0
    with contextlib.closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM outcomes").fetchone()[0])
        except sqlite3.OperationalError:  # being made
            return 0


@pytest.mark.slow
def test_killed_and_started_again_ends_with_the_same_file(tmp_path, geometries_npz):
    source = geometries_npz([inversion(f"rxn{seed:06d}", seed) for seed in range(24)])
    outputs = [tmp_path / "left-alone.h5", tmp_path / "killed.h5"]
    line = [sys.executable, "-c", "from hessbench.cli import main; main()", "generate", "rtp", str(source)]
    subprocess.run([*line, "--output", str(outputs[0]), "--workers", "1"], check=True, timeout=300)
    process = subprocess.Popen([*line, "--output", str(outputs[1]), "--workers", "2"], start_new_session=True)
    journal = outputs[1].with_name("killed.h5.journal")
    while finished(journal) < 3:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = finished(journal)
    assert 3 <= done < 24
    assert not outputs[1].exists()
    # The workers notice that they are alone.
    for _ in range(100):
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.1)
    else:
        pytest.fail("workers outlive their parent")
    assert finished(journal) == done
    subprocess.run([*line, "--output", str(outputs[1]), "--workers", "2"], check=True, timeout=300)
    assert outputs[1].read_bytes() == outputs[0].read_bytes()
    with ReactionFile(outputs[1]) as file:
        assert len(file) == 24
        assert np.isfinite(file["rxn000000"].energies).all()
