"""The parts the pictures are made of: camera, clipping, texture look-up, sampling, gain, meshes, the road."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psfusion_core.simulation.atlas import TextureAtlas
from psfusion_core.simulation.gbuffer import choose_samples, resolve
from psfusion_core.simulation.infrared_sensor import automatic_gain
from psfusion_core.simulation.mesh import Surface
from psfusion_core.simulation.mesh_builder import MeshBuilder
from psfusion_core.simulation.noise import value_noise
from psfusion_core.simulation.raster import NEAR, clip_near
from psfusion_core.simulation.road import BEHIND, PERIOD, Road, lap_offset
from psfusion_core.simulation.simulated_camera import Camera

coordinate = st.floats(-50.0, 50.0)
angle = st.floats(-0.6, 0.6)


@given(yaw=angle, pitch=angle, x=st.floats(0.0, 320.0), y=st.floats(0.0, 240.0), depth=st.floats(0.5, 300.0))
def test_a_point_along_a_pixels_ray_projects_back_to_that_pixel(
    yaw: float, pitch: float, x: float, y: float, depth: float
) -> None:
    camera = Camera(240, 320, (3.0, 1.5, -7.0), yaw, pitch)
    rays = camera.rays(np.array([x], np.float32), np.array([y], np.float32))
    point = camera.origin + depth * np.array([float(ray[0]) for ray in rays])
    in_camera = camera.to_camera(point)
    assert in_camera[2] == pytest.approx(depth, rel=1e-5)
    assert camera.to_pixels(in_camera) == pytest.approx((x, y), abs=1e-3)


@given(corners=st.lists(st.tuples(coordinate, coordinate, coordinate), min_size=3, max_size=8))
def test_clipping_keeps_what_is_in_front_and_nothing_behind(
    corners: list[tuple[float, float, float]],
) -> None:
    polygon = np.array(corners)
    clipped = clip_near(polygon)
    assert (clipped[:, 2] >= NEAR - 1e-9).all()
    kept = {tuple(point) for point in clipped.tolist()}
    assert {tuple(point) for point in corners if point[2] >= NEAR} <= kept
    if (polygon[:, 2] >= NEAR).all():
        np.testing.assert_array_equal(clipped, polygon)


def test_texture_look_up_hits_texels_at_their_centres_and_wraps_around() -> None:
    tile = np.random.default_rng(1).integers(0, 256, (16, 16, 8), np.uint8)
    atlas = TextureAtlas({"first": np.zeros((4, 4, 8), np.uint8), "second": tile})
    row, column = (axis.ravel() for axis in np.mgrid[0:16, 0:16])
    for shift in (-1.0, 0.0, 1.0):
        u = ((column + 0.5) / 16 + shift).astype(np.float32)
        v = ((row + 0.5) / 16 - shift).astype(np.float32)
        texels = atlas.sample(np.full(256, 1, np.int32), u, v, np.full(256, 0.01, np.float32))
        np.testing.assert_array_equal(texels, tile[row, column])


def test_texture_seen_from_afar_is_its_mean() -> None:
    tile = np.random.default_rng(1).integers(0, 256, (64, 64, 8), np.uint8)
    atlas = TextureAtlas({"only": tile})
    point = np.full(1, 0.5, np.float32)
    texel = atlas.sample(np.zeros(1, np.int32), point, point, np.full(1, 5.0, np.float32))[0]
    np.testing.assert_allclose(texel, tile.mean(axis=(0, 1)), atol=4.0)


def test_pixels_on_outlines_average_four_samples_and_others_take_one() -> None:
    buffer = np.zeros((4, 6), np.int32)
    buffer[:, 3:] = 7  # the edge runs through the middle column of pixels
    samples, outline = choose_samples(buffer)
    assert outline.tolist() == [1, 4]
    assert len(samples) == 6 + 3 * 2
    picture = resolve(samples.face.astype(np.float32), outline, 2, 3)
    np.testing.assert_array_equal(picture, [[0.0, 3.5, 7.0], [0.0, 3.5, 7.0]])
    inside = (samples.x // 1 + 3 * (samples.y // 1)).astype(int)
    np.testing.assert_array_equal(inside, samples.pixel)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**16), spread=st.floats(1.0, 4000.0), size=st.integers(8, 40))
def test_automatic_gain_never_shows_a_warmer_pixel_darker(seed: int, spread: float, size: int) -> None:
    rng = np.random.default_rng(seed)
    counts = np.clip(7000 + spread * rng.standard_normal((size, size)), 0, 65535).astype(np.uint16)
    picture = automatic_gain(counts)
    order = np.argsort(counts.ravel(), kind="stable")
    assert (np.diff(picture.ravel()[order].astype(int)) >= 0).all()
    assert picture.dtype == np.uint8


def test_automatic_gain_does_not_blow_up_the_noise_of_an_even_scene() -> None:
    counts = (7000 + np.random.default_rng(0).integers(-2, 3, (60, 80))).astype(np.uint16)
    assert np.ptp(automatic_gain(counts)) < 128


def test_noise_tiles_without_a_seam() -> None:
    field = value_noise(np.random.default_rng(3), 64, 8)
    inner = np.abs(np.diff(field, axis=0)).max()
    assert np.abs(field[0] - field[-1]).max() <= inner * 1.5
    assert 0.0 <= field.min() < field.max() <= 1.0


@given(yaw=st.floats(-math.pi, math.pi), x=coordinate, z=coordinate)
def test_placing_a_mesh_moves_its_texture_along(yaw: float, x: float, z: float) -> None:
    builder = MeshBuilder(20)
    square = [(0.0, 0.0, 0.0), (2.0, 0.0, 0.0), (2.0, 1.0, 0.0), (0.0, 1.0, 0.0)]
    mapping = np.array([[1.0, 0.0, 0.0], [0.0, -2.0, 0.0]])
    builder.polygon(square, Surface(), facing=(0, 0, -1), texture_map=mapping, texture_origin=(1.0, 0.5, 0.0))
    mesh = builder.build()
    placed = mesh.placed((x, 0.5, z), yaw)
    face = placed.faces[0]
    for corner, before in zip(placed.vertices, square, strict=True):
        position = face["texture_map"] @ (corner - face["origin"]) + face["texture_offset"]
        assert position == pytest.approx((before[0] - 1.0, -2.0 * (before[1] - 0.5)), abs=1e-9)
        assert float((corner - face["origin"]) @ face["normal"]) == pytest.approx(0.0, abs=1e-9)
    assert face["normal"] == pytest.approx((-math.sin(yaw), 0.0, -math.cos(yaw)), abs=1e-9)


def test_a_polygon_without_area_is_left_out() -> None:
    builder = MeshBuilder(20)
    builder.polygon([(0, 0, 0), (1, 0, 0), (2, 0, 0)], Surface())
    builder.polygon([(0, 0, 0), (1, 0, 0), (1, 1, 0)], Surface())
    mesh = builder.build()
    assert len(mesh) == 1
    np.testing.assert_array_equal(mesh.vertices, [(0, 0, 0), (1, 0, 0), (1, 1, 0)])


@given(s=st.floats(-2000.0, 2000.0), ego_s=st.floats(0.0, 5000.0))
def test_the_shown_copy_of_a_thing_lies_within_a_period_ahead(s: float, ego_s: float) -> None:
    ahead = s + lap_offset(s, ego_s) - ego_s
    assert -BEHIND - 1e-6 <= ahead <= PERIOD - BEHIND + 1e-6


@given(s=st.floats(0.0, 600.0))
def test_the_road_repeats_after_a_period(s: float) -> None:
    road = Road(((5.0, 1, 0.4), (1.2, 2, 2.0)), ((1, 20.0, 44.0),), 30.0)
    assert road.course(s + PERIOD) == pytest.approx(road.course(s), abs=1e-9)
    assert road.kerb(1, s + PERIOD) == pytest.approx(road.kerb(1, s), abs=1e-9)
    slope = (road.course(s + 1e-4) - road.course(s - 1e-4)) / 2e-4
    assert math.tan(road.heading(s)) == pytest.approx(slope, abs=1e-6)
