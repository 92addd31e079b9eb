"""Networks whose BatchNorms are not identities."""

from __future__ import annotations

import torch

from psfusion_core.models.networks import create_model
from psfusion_core.models.psfusion import PSFusion
from psfusion_core.models.psfusion_lite import PSFusionLite


def trained_like(name: str) -> PSFusion | PSFusionLite:
    """A network with random weights, attention that counts, and BatchNorm statistics of random images."""
    torch.manual_seed(0)
    model = create_model(name, weights=None)
    for parameter_name, parameter in model.named_parameters():
        if parameter_name.endswith("_gain"):
            torch.nn.init.constant_(parameter, 0.5)
    with torch.no_grad():
        model.train()(torch.rand(2, 3, 64, 96), torch.rand(2, 1, 64, 96))
    return model.eval()
