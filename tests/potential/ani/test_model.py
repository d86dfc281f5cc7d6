"""Models: shapes, initial weights, folding, files."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from hessbench.errors import DataError, HessbenchError
from hessbench.potential import load
from hessbench.potential.ani.architecture import SHAPES, Architecture
from hessbench.potential.ani.evaluation import evaluate
from hessbench.potential.ani.model import ANI
from hessbench.potential.ani.potential import build
from hessbench.potential.ani.settings import ANIConfig
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import sums_of_atomic_energies
from hessbench.potential.files import read_notes
from hessbench.potential.interface import Derivatives
from tests.molecules import ragged_batch, small_model


def test_named_shapes_are_those_of_the_schema() -> None:
    assert set(SHAPES) == set(ANIConfig.model_fields["shape"].annotation.__args__)  # type: ignore[union-attr]


def test_ani1x_is_torchanis() -> None:
    from torchani.aev import AEVComputer
    from torchani.nn import ANINetworks

    model = build(ANIConfig(shape="ani1x"), 0)
    theirs = ANINetworks.like_1x(("H", "C", "N", "O"), model.architecture.features)
    assert [p.shape for p in model.networks.parameters()] == [p.shape for p in theirs.parameters()]
    for name, value in AEVComputer("ani1x", "ani1x", 4).state_dict().items():
        torch.testing.assert_close(model.aev.state_dict()[name], value, rtol=0, atol=0)


def test_seed_alone_decides_the_weights() -> None:
    torch.manual_seed(1)
    first = build(ANIConfig(), 7)
    drawn = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(1), drawn)  # building draws nothing from the global generator
    second, third = build(ANIConfig(), 7), build(ANIConfig(), 8)
    for a, b, c in zip(first.parameters(), second.parameters(), third.parameters(), strict=True):
        assert torch.equal(a, b)
        assert not torch.equal(a, c)


def test_initializations() -> None:
    kaiming = build(ANIConfig(shape="authors"), 0).layers(1)
    default = build(ANIConfig(shape="authors", initialization="torchani"), 0).layers(1)
    assert kaiming[0].weight.std().item() == pytest.approx((2 / 384) ** 0.5, rel=0.02)
    assert kaiming[0].bias.abs().max() == 0
    lecun = build(ANIConfig(shape="authors", initialization="lecun", dtype="float64"), 0).layers(1)
    for layer in lecun:
        assert layer.weight.std().item() == pytest.approx(layer.in_features**-0.5, rel=0.1)
        assert layer.weight.dtype == torch.float64
        assert layer.bias.abs().max() == 0
    bound = 384**-0.5
    assert 0.99 * bound < default[0].weight.abs().max() <= bound
    assert 0.9 * bound < default[0].bias.abs().max() <= bound


def test_folding_keeps_the_function() -> None:
    model, batch = small_model(), ragged_batch()
    plain = model.folded()
    assert (plain.feature_scale == 1).all()
    assert not (model.feature_scale == 1).all()
    for a, b in zip(
        evaluate(model, batch, 2).hessians.split(50),
        evaluate(plain, batch, 2).hessians.split(50),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-10)


def test_atomic_energies_stay_exact() -> None:
    model = build(ANIConfig(), 0)
    model.atomic_energies[:2] = torch.tensor([-313.123456789, -23_877.123456789], dtype=torch.float64)
    batch = Batch(torch.tensor([6, 1, 1, 1, 1]), torch.zeros(5, 3), torch.tensor([5]))
    for converted in (model, model.float(), model.double(), model.half().float()):
        energy = sums_of_atomic_energies(converted, batch)
        assert energy.dtype == torch.float64
        assert energy.item() == pytest.approx(4 * -313.123456789 - 23_877.123456789, abs=1e-9)


def test_unknown_elements_are_named() -> None:
    batch = Batch(torch.tensor([6, 17, 200]), torch.eye(3), torch.tensor([3]))
    with pytest.raises(HessbenchError, match=r"17, 200.*H, C, N, O"):
        evaluate(build(ANIConfig(), 0), batch, 0)


@pytest.mark.parametrize(
    "settings",
    [{"hidden": {"H": (4,)}}, {"elements": ("H", "H")}, {"elements": ("H", "Xx")}, {"elements": ()}],
)
def test_bad_architectures_are_refused(settings: dict) -> None:
    with pytest.raises(HessbenchError):
        build(ANIConfig.model_validate(settings), 0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_files_hold_the_plain_model(tmp_path: Path, dtype: torch.dtype) -> None:
    model = small_model(
        dtype=dtype, activation="celu", cutoff="smooth", elements=("O", "H", "C", "N"), biases=True
    )
    model.atomic_energies.copy_(torch.tensor([1.0, -2.0, 3.5, 1e5 + 1e-7]))
    model.save(tmp_path / "model.safetensors", {"loss": "efh"})
    assert read_notes(tmp_path / "model.safetensors") == {"loss": "efh"}
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
    loaded = load(tmp_path / "model.safetensors")
    assert loaded.architecture == model.architecture
    assert loaded.dtype == dtype
    assert (loaded.feature_scale == 1).all()
    assert torch.equal(loaded.atomic_energies, model.atomic_energies)
    batch = ragged_batch(dtype)
    tolerance = 1e-10 if dtype == torch.float64 else 1e-4
    expected = evaluate(model, batch, 1)
    torch.testing.assert_close(
        evaluate(loaded, batch, 1).forces, expected.forces, rtol=tolerance, atol=tolerance
    )


def test_architecture_survives_json() -> None:
    architecture = small_model(cutoff="smooth").architecture
    assert Architecture.from_dict(json.loads(json.dumps(architecture.to_dict()))) == architecture


def _without(key: str) -> dict:
    header = {
        "format": "hessbench ANI 1",
        "architecture": build(ANIConfig(), 0).architecture.to_dict(),
        "notes": {},
    }
    del header[key]
    return header


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "does not exist"),
        (b"not a model", "not a safetensors file"),
        ({}, "no model of hessbench"),
        ({"hessbench": "{"}, "no model of hessbench"),
        ({"hessbench": json.dumps({"format": "hessbench ANI 99"})}, "hessbench ANI 99"),
        ({"hessbench": json.dumps(_without("architecture"))}, "description"),
        ({"hessbench": json.dumps(_without("notes"))}, "tensors do not fit"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, content: bytes | dict | None, problem: str) -> None:
    path = tmp_path / "model.safetensors"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        save_file({"x": torch.zeros(1)}, path, metadata=content)
    with pytest.raises(DataError, match=problem) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_a_flipped_bit_of_a_model_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model = small_model()
    model.save(path)
    whole = path.read_bytes()
    for bit in torch.randint(8 * len(whole), (60,), generator=torch.Generator().manual_seed(0)).tolist():
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"damaged|not a safetensors file|no model"):
            load(path)
    path.write_bytes(whole.replace(b"hessbench sha256", b"hessbench sha-no"))
    with pytest.raises(DataError, match="damaged"):
        load(path)


def test_a_model_that_claims_more_than_its_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    description = build(ANIConfig(), 0).architecture.to_dict() | {"hidden": [[10**6, 10**6]] * 4}
    header = {"format": "hessbench ANI 1", "architecture": description, "notes": {}}
    save_file({"x": torch.zeros(1)}, path, metadata={"hessbench": json.dumps(header)})
    with pytest.raises(DataError, match="tensors do not fit"):
        load(path)


def test_model_is_a_torch_module() -> None:
    assert isinstance(build(ANIConfig(), 0), ANI)
    assert "hidden=" in repr(build(ANIConfig(), 0))


def test_equal_models_are_equal_files(tmp_path: Path) -> None:
    files = {}
    for number in range(12):
        path = tmp_path / f"{number}.safetensors"
        small_model().save(path, {"loss": "e-80", "seed": "0"})
        files[path.read_bytes()] = number
    assert len(files) == 1


@pytest.mark.parametrize("derivatives", [0, 1, 2])
def test_elements_that_are_not_there_change_nothing(derivatives: Derivatives) -> None:
    """Without gradients their networks are left out."""
    model = small_model(biases=True)
    water = Batch.from_molecules([([8, 1, 1], [[0.0, 0.0, 0.1], [0.0, 0.8, -0.5], [0.0, -0.8, -0.5]])])
    expected = evaluate(model, water, derivatives)
    with torch.no_grad():
        found = evaluate(model, water, derivatives)
    assert torch.equal(found.energies, expected.energies.detach())
    for name in ("forces", "hessians")[:derivatives]:
        assert torch.equal(getattr(found, name), getattr(expected, name).detach())


def test_plain_is_a_model_whose_features_are_taken_as_they_are() -> None:
    model = small_model(biases=True)
    plain = model.folded()
    assert plain.is_plain
    assert not model.is_plain
    for buffer, value in ((plain.feature_mean, 0.1), (plain.feature_scale, 2.0)):
        before = buffer[0, 3].clone()
        buffer[0, 3] = value
        assert not plain.is_plain
        buffer[0, 3] = before
    assert plain.is_plain
