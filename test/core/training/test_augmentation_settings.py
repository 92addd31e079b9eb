"""Settings of the augmentation: their ranges, and their way through the configuration."""

from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from psfusion_core.training.augmentation.augmentation_settings import CameraSettings, GeometrySettings


def test_settings_pass_through_the_configuration_unchanged() -> None:
    for made in (GeometrySettings(), CameraSettings()):
        assert OmegaConf.to_object(OmegaConf.structured(made)) == made


@pytest.mark.parametrize(
    ("kind", "name", "value", "expected"),
    [
        (GeometrySettings, "probability", 1.5, "0 to 1"),
        (GeometrySettings, "scale_min", 0.0, "0.1 to inf"),
        (GeometrySettings, "scale_max", 0.5, "0.8 to inf"),
        (GeometrySettings, "rotation_degrees", -1.0, "0 to inf"),
        (CameraSettings, "glare_probability", -0.1, "0 to 1"),
        (CameraSettings, "glare_radius", 0.0, "0.001 to 1"),
        (CameraSettings, "glare_haze", 1.1, "0 to 1"),
        (CameraSettings, "narrowing_background", 0.2, "0.3 to 1"),
        (CameraSettings, "darkness_electrons", 0.0, "1 to inf"),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(
    kind: type[GeometrySettings | CameraSettings], name: str, value: float, expected: str
) -> None:
    with pytest.raises(ValueError, match=f"{name} is {value}; expected {expected}"):
        kind(**{name: value})
