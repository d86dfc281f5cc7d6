"""The adapter in docs/potentials.md is a potential."""

import re
import textwrap
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "potentials.md"


def test_the_adapter_of_the_page_passes_the_validator_of_the_page():
    (block,) = re.findall(r"\n\n(    import torch\n.*?validate\(Springs\(\)\)\n)", PAGE.read_text(), re.S)
    exec(textwrap.dedent(block), {})
