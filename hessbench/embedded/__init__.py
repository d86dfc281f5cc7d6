"""The data that come with the package; README.md beside this file says what they are and whence."""

from importlib import resources
from pathlib import Path

EMBEDDED = Path(str(resources.files(__name__)))
"""The folder of these data, wherever the package is installed."""
