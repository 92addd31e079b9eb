"""People as jointed limbs, walking, standing or riding."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.billboards import LIMB
from psfusion_core.simulation.mesh import SURFACE, Surface
from psfusion_core.simulation.texture_library import texture

Point = tuple[float, float, float]
PERSON = 2
SKIN_TEMPERATURE = 33.5

_COATS = (
    (0.045, 0.05, 0.07), (0.22, 0.045, 0.035), (0.10, 0.11, 0.12), (0.30, 0.28, 0.24), (0.03, 0.10, 0.17),
    (0.13, 0.10, 0.06), (0.05, 0.14, 0.09), (0.38, 0.30, 0.08), (0.24, 0.24, 0.26),
)  # fmt: skip
_TROUSERS = (
    (0.03, 0.035, 0.06),
    (0.05, 0.05, 0.05),
    (0.16, 0.13, 0.09),
    (0.06, 0.09, 0.17),
    (0.11, 0.11, 0.11),
)
_SKINS = ((0.56, 0.36, 0.26), (0.48, 0.30, 0.20), (0.22, 0.13, 0.08), (0.62, 0.42, 0.31))
_HAIR = ((0.025, 0.02, 0.018), (0.09, 0.05, 0.025), (0.22, 0.15, 0.07), (0.25, 0.24, 0.23))


@dataclass(frozen=True)
class Figure:
    """Build and clothes of one person: surfaces of the limbs and the scale of the body."""

    scale: float
    girth: float
    surfaces: npt.NDArray[np.void]
    long_coat: bool


_TRUNK = 7

# order of the limbs, which is also the order of their surfaces
_PARTS = (
    "foot", "foot", "trousers", "trousers", "trousers", "trousers", "trousers", "coat", "coat", "coat",
    "coat", "coat", "coat", "skin", "skin", "skin", "skin", "hair", "coat",
)  # fmt: skip


def random_figure(rng: np.random.Generator, air: float) -> Figure:
    """A person of random build and clothes; clothes let more body heat through in mild air."""

    def pick(colors: tuple[Point, ...]) -> Point:
        shade = 0.8 + 0.4 * float(rng.random())
        red, green, blue = colors[int(rng.integers(len(colors)))]
        return red * shade, green * shade, blue * shade

    share = 0.66 + 0.14 * float(rng.random())
    warm = air + (SKIN_TEMPERATURE - air) * share
    materials = {
        "foot": Surface((0.04, 0.035, 0.03), texture("cloth"), 0, 0.05, air + 8.0, 8.0, PERSON),
        "trousers": Surface(pick(_TROUSERS), texture("cloth"), 0, 0, warm, 11.0, PERSON),
        "coat": Surface(pick(_COATS), texture("cloth"), 0, 0, warm + 0.8, 12.0, PERSON),
        "skin": Surface(pick(_SKINS), 0, 0, 0.02, SKIN_TEMPERATURE, 0.0, PERSON),
        "hair": Surface(pick(_HAIR), texture("cloth"), 0, 0.05, SKIN_TEMPERATURE - 5.0, 8.0, PERSON),
    }
    surfaces = np.array([materials[part].record() for part in _PARTS], SURFACE)
    scale = 0.93 + 0.13 * float(rng.random())
    return Figure(scale, 0.9 + 0.3 * float(rng.random()), surfaces, bool(rng.random() < 0.35))


def _knee(hip: Point, ankle: Point, thigh: float, shin: float, forward: float) -> Point:
    """Joint of a two-part leg, bent towards `forward` (+1 or -1) along z."""
    dy, dz = ankle[1] - hip[1], ankle[2] - hip[2]
    length = min(math.hypot(dy, dz), (thigh + shin) * 0.999)
    along = (thigh * thigh - shin * shin + length * length) / (2.0 * length)
    out = math.sqrt(max(thigh * thigh - along * along, 0.0)) * forward
    uy, uz = dy / length, dz / length
    return (hip[0] + ankle[0]) / 2, hip[1] + uy * along + uz * out, hip[2] + uz * along - uy * out


def walking_pose(phase: float, stride: float) -> dict[str, Point]:
    """Joints of a walker who looks towards +z, for a body 1.75 m tall.

    Args:
        phase: of the step cycle, radians; one cycle is two steps.
        stride: 0 stands still, 1 walks at full stride.
    """
    bob = 0.022 * stride * math.cos(2.0 * phase)
    hip_y = 0.90 + bob
    joints: dict[str, Point] = {"pelvis": (0.0, hip_y + 0.04, 0.0), "chest": (0.0, 1.36 + bob, 0.02)}
    joints["neck"] = (0.0, 1.46 + bob, 0.02)
    joints["head"] = (0.0, 1.62 + bob, 0.045)
    for side, name in ((1.0, "right"), (-1.0, "left")):
        swing = phase + (0.0 if side > 0 else math.pi)
        reach = 0.30 * stride * math.sin(swing)
        lift = 0.12 * stride * max(math.cos(swing), 0.0) ** 2
        hip = (side * 0.09, hip_y, 0.0)
        ankle = (side * (0.08 + 0.03 * (1.0 - stride)), 0.09 + lift, reach - 0.02)
        tilt = 0.35 * stride * math.sin(swing)
        joints[f"{name} hip"], joints[f"{name} ankle"] = hip, ankle
        joints[f"{name} knee"] = _knee(hip, ankle, 0.43, 0.42, 1.0)
        joints[f"{name} toe"] = (
            ankle[0] + side * 0.02,
            0.045 + lift * 0.6 + 0.05 * max(tilt, 0.0),
            ankle[2] + 0.17,
        )
        arm = -0.42 * stride * math.sin(swing)
        shoulder = (side * 0.185, 1.40 + bob, 0.015)
        elbow = (side * 0.235, 1.40 + bob - 0.29 * math.cos(arm), 0.29 * math.sin(arm))
        bend = arm + 0.25 + 0.2 * stride
        joints[f"{name} shoulder"], joints[f"{name} elbow"] = shoulder, elbow
        hand = (elbow[0], elbow[1] - 0.25 * math.cos(bend), elbow[2] + 0.25 * math.sin(bend))
        joints[f"{name} hand"] = hand
    return joints


def riding_pose(crank: float) -> dict[str, Point]:
    """Joints of a cyclist; the feet follow the pedals at angle `crank` (radians)."""
    joints: dict[str, Point] = {"pelvis": (0.0, 1.0, -0.24), "chest": (0.0, 1.38, 0.02)}
    joints["neck"], joints["head"] = (0.0, 1.47, 0.06), (0.0, 1.62, 0.12)
    for side, name in ((1.0, "right"), (-1.0, "left")):
        turn = crank + (0.0 if side > 0 else math.pi)
        hip = (side * 0.09, 0.97, -0.22)
        ankle = (side * 0.11, 0.37 + 0.17 * math.sin(turn), 0.17 * math.cos(turn) - 0.06)
        joints[f"{name} hip"], joints[f"{name} ankle"] = hip, ankle
        joints[f"{name} knee"] = _knee(hip, ankle, 0.44, 0.43, 1.0)
        joints[f"{name} toe"] = (ankle[0], ankle[1] - 0.05, ankle[2] + 0.17)
        joints[f"{name} shoulder"] = (side * 0.19, 1.38, 0.02)
        joints[f"{name} elbow"] = (side * 0.27, 1.16, 0.18)
        joints[f"{name} hand"] = (side * 0.25, 1.07, 0.42)
    return joints


def person_limbs(
    figure: Figure, pose: dict[str, Point], position: Point, yaw: float, seen_from: float
) -> npt.NDArray[np.void]:
    """The limbs of a person placed in the world.

    Args:
        figure: build and clothes.
        pose: joints in the body's own axes.
        position: where the feet stand.
        yaw: direction the person looks in.
        seen_from: direction of the camera's view; the trunk is wider from the front than from the side.
    """
    j, g = pose, figure.girth
    across, deep = math.cos(yaw - seen_from), math.sin(yaw - seen_from)

    def trunk(wide: float, thick: float) -> float:
        return g * math.sqrt((wide * across) ** 2 + (thick * deep) ** 2)

    head, neck = j["head"], j["neck"]
    crown = (head[0], head[1] + 0.055, head[2] - 0.02)
    hem = (0.0, 0.62, 0.0) if figure.long_coat else (0.0, j["pelvis"][1] - 0.06, j["pelvis"][2])
    segments: list[tuple[Point, Point, float, float]] = []
    for side in ("right", "left"):
        segments.append((j[f"{side} ankle"], j[f"{side} toe"], 0.05, 0.042))
    for side in ("right", "left"):
        segments.append((j[f"{side} hip"], j[f"{side} knee"], 0.098 * g, 0.066))
        segments.append((j[f"{side} knee"], j[f"{side} ankle"], 0.066, 0.045))
    segments.append((j["right hip"], j["left hip"], 0.10 * g, 0.10 * g))
    segments.append((hem, j["chest"], trunk(0.175, 0.13), trunk(0.205, 0.125)))
    for side in ("right", "left"):
        segments.append((j[f"{side} shoulder"], j[f"{side} elbow"], 0.065 * g, 0.05))
    for side in ("right", "left"):
        segments.append((j[f"{side} elbow"], j[f"{side} hand"], 0.05, 0.04))
    segments.append((j["chest"], neck, 0.11 * g, 0.06))
    for side in ("right", "left"):
        hand = j[f"{side} hand"]
        segments.append((hand, (hand[0], hand[1] - 0.07, hand[2] + 0.01), 0.042, 0.036))
    segments.append((neck, head, 0.052, 0.06))
    segments.append(
        ((head[0], head[1] - 0.035, head[2] + 0.01), (head[0], head[1] + 0.05, head[2]), 0.078, 0.092)
    )
    segments.append((crown, (crown[0], crown[1] + 0.022, crown[2] - 0.012), 0.094, 0.088))
    segments.append((j["pelvis"], hem, trunk(0.15, 0.12), trunk(0.175, 0.13)))
    limbs = np.zeros(len(segments), LIMB)
    limbs["start"] = [segment[0] for segment in segments]
    limbs["end"] = [segment[1] for segment in segments]
    limbs["radii"] = [segment[2:] for segment in segments]
    sin, cos = math.sin(yaw), math.cos(yaw)
    for name in ("start", "end"):
        local = limbs[name] * figure.scale
        x, z = local[:, 0] * cos + local[:, 2] * sin, local[:, 2] * cos - local[:, 0] * sin
        limbs[name] = np.stack([x, local[:, 1], z], axis=1) + np.array(position)
    limbs["radii"] *= figure.scale
    limbs["roundness"], limbs["anchor"], limbs["surface"] = 1.0, position, figure.surfaces
    limbs["roundness"][_TRUNK] = 0.45
    return limbs
