"""YAML files: a registration as ROS parameters, and intrinsics as ROS camera_calibration writes them."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from psfusion_core.base.wording import one_line
from psfusion_core.registration.camera_model import CameraModel
from psfusion_core.registration.registration_settings import RegistrationSettings

PARAMETERS = "ros__parameters"


def write_registration(path: Path, settings: RegistrationSettings, comment: str) -> None:
    """Write a registration as a ROS parameter file, for `--params-file` and for `read_registration`.

    Args:
        path: The file to write.
        settings: The registration.
        comment: Origin of the registration; each of its lines becomes a comment at the top of the file.

    Raises:
        OSError: The file cannot be written.
    """
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    lines += ["/**:", f"  {PARAMETERS}:", "    registration:"]
    for item in fields(RegistrationSettings):
        value = getattr(settings, item.name)
        text = value if isinstance(value, str) else _number_or_list(value)
        lines.append(f"      {item.name}: {text}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _number_or_list(value: Any) -> str:
    """Write floats with a decimal point: ROS distinguishes 1.0 from 1, and YAML reads 1e-05 as text."""
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(_number_or_list(entry) for entry in value)}]"
    if isinstance(value, int):
        return str(value)
    mantissa, exponent, power = repr(float(value)).partition("e")
    return (mantissa if "." in mantissa else f"{mantissa}.0") + exponent + power


def read_registration(path: Path) -> RegistrationSettings:
    """Read the registration in a ROS parameter file of any node; other parameters are ignored.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file has no registration, several registrations, or an invalid one.
    """
    document = _load(path)
    nodes = document.values() if isinstance(document, dict) else ()
    found = [
        node[PARAMETERS]["registration"]
        for node in nodes
        if isinstance(node, dict)
        and isinstance(node.get(PARAMETERS), dict)
        and "registration" in node[PARAMETERS]
    ]
    if len(found) != 1 or not isinstance(found[0], dict):
        raise ValueError(
            f"expected one {PARAMETERS}: registration: in {path}, got {len(found)}: "
            "give a file that psfusion calibrate wrote"
        )
    known = {item.name: item.default for item in fields(RegistrationSettings)}
    unknown = sorted(map(str, found[0].keys() - known.keys()))
    if unknown:
        raise ValueError(
            f"expected registration parameters {', '.join(known)} in {path}, got {', '.join(unknown)}: "
            "correct the name"
        )
    try:
        return RegistrationSettings(**{n: _like(known[n], v, n) for n, v in found[0].items()})
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _like(default: Any, value: Any, name: str) -> Any:
    """Convert a value of the file to the type of the default."""
    if isinstance(default, tuple):
        kind = type(default[0])
        if not isinstance(value, list) or not all(_is_number(entry, kind) for entry in value):
            raise ValueError(f"expected registration.{name} to be a list like {list(default)}, got {value!r}")
        return tuple(kind(entry) for entry in value)
    if isinstance(default, float):
        if not _is_number(value, float):
            raise ValueError(f"expected registration.{name} to be a number like {default}, got {value!r}")
        return float(value)
    return str(value)


def _is_number(value: Any, kind: type) -> bool:
    return not isinstance(value, bool) and isinstance(value, int if kind is int else (int, float))


def write_camera(path: Path, camera: CameraModel, name: str) -> None:
    """Write the intrinsics of a camera in the YAML format of ROS camera_calibration_parsers.

    Rectification is the identity and the projection is K, because the images are not rectified.

    Raises:
        OSError: The file cannot be written.
    """
    k = list(camera.k)
    projection = [*k[0:3], 0.0, *k[3:6], 0.0, *k[6:9], 0.0]
    document = {
        "image_width": camera.width,
        "image_height": camera.height,
        "camera_name": name,
        "camera_matrix": {"rows": 3, "cols": 3, "data": k},
        "distortion_model": camera.distortion_model,
        "distortion_coefficients": {"rows": 1, "cols": len(camera.d), "data": list(camera.d)},
        "rectification_matrix": {"rows": 3, "cols": 3, "data": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]},
        "projection_matrix": {"rows": 3, "cols": 4, "data": projection},
    }
    path.write_text(yaml.safe_dump(document, sort_keys=False, default_flow_style=None), encoding="utf-8")


def read_camera(path: Path) -> CameraModel:
    """Read the intrinsics of a camera from a file of ROS camera_calibration.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not such a file, or its values are invalid.
    """
    document = _load(path)
    try:
        return CameraModel(
            int(document["image_width"]),
            int(document["image_height"]),
            tuple(float(value) for value in document["camera_matrix"]["data"]),
            tuple(float(value) for value in document["distortion_coefficients"]["data"]),
            str(document["distortion_model"]),
        )
    except (TypeError, KeyError) as error:
        raise ValueError(
            f"expected image_width, image_height, camera_matrix, distortion_model and "
            f"distortion_coefficients in {path}, got no usable {error}: give a file of ROS camera_calibration"
        ) from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _load(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"expected YAML, found no file at {path}: check the path") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"expected YAML in {path}, got {one_line(error)}") from error
