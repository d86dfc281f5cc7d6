"""ANI-1x: the published eight networks, in double precision, with the exact Hessians of this package.

Their weights come inside the wheel of torchani 2.2.4, which has to lie beside this file; it is not installed:

    pip download --no-deps --only-binary :all: torchani==2.2.4
"""

import hashlib
import tempfile
import zipfile
from pathlib import Path

import torch
from torchani.neurochem import load_aev_constants_and_symbols, load_ensemble, load_sae

from hessbench.calculators.ase_calculator import HessbenchCalculator
from hessbench.potential.ani.potential import ANIPotential, build
from hessbench.potential.ani.settings import ANIConfig
from hessbench.units import HARTREE

level = "wB97X/6-31G(d)"

WHEEL = Path(__file__).with_name("torchani-2.2.4-py3-none-any.whl")
SHA256 = "de99afb38aeee9bf8553e58c468539ed41baf6b217833c2fc90429ad4261a02d"
WEIGHTS, CONSTANTS = "torchani/resources/ani-1x_8x/", "rHCNO-5.2R_16-3.5A_a4-8.params"
MEMBERS = 8


def published_members() -> list[ANIPotential]:
    """The networks with the weights in the wheel; their mean is ANI-1x."""
    if not WHEEL.is_file() or hashlib.sha256(WHEEL.read_bytes()).hexdigest() != SHA256:
        raise FileNotFoundError(f"{WHEEL.name} is not beside {Path(__file__).name}, or is another one")
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(WHEEL) as wheel:
        wheel.extractall(folder, [name for name in wheel.namelist() if name.startswith(WEIGHTS)])
        path = Path(folder) / WEIGHTS
        _, symbols = load_aev_constants_and_symbols(path / CONSTANTS)
        networks = load_ensemble(symbols, path / "train", MEMBERS)
        atomic_energies = load_sae(path / "sae_linfit.dat").self_energies.double()
    settings = ANIConfig(elements=tuple(symbols), shape="ani1x", dtype="float64")
    members = []
    for published in networks.members:
        member = build(settings, seed=0)
        member.networks.load_state_dict(published.state_dict())
        with torch.no_grad():  # from hartree
            member.atomic_energies.copy_(HARTREE * atomic_energies)
            for element in range(len(symbols)):
                last = member.layers(element)[-1]
                last.weight *= HARTREE
                last.bias *= HARTREE
        members.append(member)
    return members


def calculator() -> HessbenchCalculator:
    """ASE calculator of the mean."""
    return HessbenchCalculator(published_members())
