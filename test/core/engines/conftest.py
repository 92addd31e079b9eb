"""A cache of exported networks for these tests alone, and networks whose BatchNorms are not identities."""

from __future__ import annotations

import pytest
import torch

from psfusion_core.models.networks import create_model
from psfusion_core.models.psfusion import PSFusion
from psfusion_core.models.psfusion_lite import PSFusionLite


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


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
