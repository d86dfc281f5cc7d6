"""What pyproject.toml cannot say: a wheel brings the archived models, which lie outside the package."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

MODELS = Path("archive/full/models")
"""Models of the largest share of the data: archive/full/models/<percent>/<loss>/seed-<seed>.safetensors."""
PACKAGED = Path("hessbench/archived")
"""Where `hessbench.load` looks for them in an installed package."""


class BuildWithModels(build_py):
    """Copy the models, and what they were trained on, to where the package has them."""

    def run(self) -> None:
        """Build as usual, then copy; an editable installation finds the models in the clone."""
        super().run()
        if not self.editable_mode:
            for source, target in self._models().items():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Files of the build."""
        return [*super().get_outputs(include_bytecode), *map(str, self._models().values())]

    def get_source_files(self) -> list[str]:
        """Files that a source distribution needs."""
        return [*super().get_source_files(), *map(str, self._models())]

    def _models(self) -> dict[Path, Path]:
        folders = {path.parent for path in MODELS.glob("*/*/*.safetensors")}
        files = [
            path
            for folder in folders
            for path in folder.iterdir()
            if path.suffix in (".safetensors", ".json")
        ]
        return {path: Path(self.build_lib) / PACKAGED / path.relative_to(MODELS) for path in sorted(files)}


setup(cmdclass={"build_py": BuildWithModels})
