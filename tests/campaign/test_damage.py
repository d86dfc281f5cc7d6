"""Damage is reproducible, and what shows a fault is made small."""

import numpy as np

from tests.campaign.damage import Edit, apply, damage, shrink

CONTENT = b"energy=-1.5 forces=2.25 " * 20


def test_a_seed_decides_and_text_stays_text():
    for seed in range(200):
        edits = damage(CONTENT, np.random.default_rng(seed))
        assert edits == damage(CONTENT, np.random.default_rng(seed))
        if b"\xe9" not in apply(CONTENT, edits):
            assert apply(CONTENT, edits).isascii()


def test_edits_that_do_not_matter_are_left_out():
    edits = [Edit(0, 1, b"x"), Edit(5, 1, b"!"), Edit(9, 2, b"")]
    assert shrink(CONTENT, edits, lambda damaged: b"!" in damaged) == [edits[1]]
