"""What stands around a model is known by the model's own name."""

from __future__ import annotations

from brain.model import Capabilities, Model


class Around:
    """A model that is asked through us."""

    def __init__(self, model: Model) -> None:
        self._model = model

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def label(self) -> str:
        return self._model.label

    @property
    def capabilities(self) -> Capabilities:
        return self._model.capabilities
