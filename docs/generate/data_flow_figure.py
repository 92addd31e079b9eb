"""The figure of the way from two camera topics to the outputs; every box but the topics is a module."""

from __future__ import annotations

from diagram import Arrow, Box, draw

MODULES = {
    "visible": ("psfusion_ros.image_input", "checks header, stamp, frozen images"),
    "infrared": ("psfusion_ros.image_input", "checks header, stamp, frozen images"),
    "synchroniser": ("psfusion_ros.synchroniser", "nearest stamps; the newest pair wins"),
    "missing camera": ("psfusion_ros.missing_camera", "a camera is silent or frozen"),
    "decoding": ("psfusion_core.cameras.image_decoding", "messages to frames, no copy if possible"),
    "thermal gain": ("psfusion_core.cameras.thermal_gain", "which counts become black and white"),
    "unpacking": ("psfusion_core.cameras.unpack", "camera bytes to tensors, on the device"),
    "camera info": ("psfusion_ros.camera_info_cache", "latest camera_info of both cameras"),
    "infrared warp": ("psfusion_core.registration.infrared_warp", "infrared onto visible pixels"),
    "engine": ("psfusion_core.engines", "the network: luma, class logits"),
    "recovery": ("psfusion_core.fusion.recovery", "out of memory: CPU or half size"),
    "compose": ("psfusion_core.fusion.compose", "colours, label map, overlay"),
    "outputs": ("psfusion_ros.outputs", "only topics with subscribers"),
    "diagnostics": ("psfusion_ros.diagnostics", "reports on all of it"),
}
"""The module that each box stands for, and what it does."""

PLACES = {
    "visible": (2.0, 1, "visible", 2.0),
    "infrared": (5.0, 1, "infrared", 2.0),
    "synchroniser": (3.1, 2, "fusion", 2.4),
    "missing camera": (5.55, 2, "plain", 1.9),
    "decoding": (2.4, 3, "fusion", 2.3),
    "thermal gain": (5.25, 3, "infrared", 2.2),
    "unpacking": (3.1, 4, "scene", 2.4),
    "camera info": (1.7, 5, "plain", 1.9),
    "infrared warp": (5.25, 5, "infrared", 2.2),
    "recovery": (1.75, 6, "plain", 2.0),
    "engine": (4.5, 6, "scene", 2.2),
    "compose": (4.5, 7, "scene", 2.5),
    "outputs": (4.5, 8, "fusion", 2.0),
    "diagnostics": (1.6, 8, "plain", 1.8),
}

TOPICS = {
    "in:visible": Box(("visible/image", "or /compressed"), 2.0, 0, "visible", 1.6),
    "in:infrared": Box(("infrared/image", "or /compressed"), 5.0, 0, "infrared", 1.6),
    "out:fused": Box(("fused/image", "fused/camera_info"), 3.5, 9, "output", 1.4),
    "out:semantic": Box(("semantic/mask", "semantic/overlay", "semantic/label_info"), 5.0, 9, "output", 1.4),
    "out:source": Box(("~/source",), 6.2, 9, "output", 0.9),
    "out:diagnostics": Box(("/diagnostics",), 1.6, 9, "output", 1.2),
}

ARROWS = [
    Arrow("in:visible", "visible", "visible"),
    Arrow("in:infrared", "infrared", "infrared"),
    Arrow("visible", "synchroniser", "visible"),
    Arrow("infrared", "synchroniser", "infrared"),
    Arrow("missing camera", "synchroniser"),
    Arrow("synchroniser", "decoding", "fusion", "a pair, or an unpaired image"),
    Arrow("decoding", "thermal gain", "infrared", "infrared"),
    Arrow("decoding", "unpacking", "fusion", "both frames"),
    Arrow("thermal gain", "unpacking", "infrared"),
    Arrow("unpacking", "infrared warp", "infrared"),
    Arrow("camera info", "infrared warp"),
    Arrow("unpacking", "engine", "visible"),
    Arrow("infrared warp", "engine", "infrared"),
    Arrow("recovery", "engine"),
    Arrow("engine", "compose", "scene", "luma, logits"),
    Arrow("compose", "outputs", "scene", "the wanted pictures"),
    Arrow("outputs", "out:fused", "output"),
    Arrow("outputs", "out:semantic", "output"),
    Arrow("outputs", "out:source", "output"),
    Arrow("diagnostics", "out:diagnostics", "output"),
]


def draw_data_flow() -> str:
    """Return the figure as SVG."""
    boxes = dict(TOPICS)
    for name, (module, purpose) in MODULES.items():
        title = f"{name} input" if name in ("visible", "infrared") else name
        boxes[name] = Box((title, purpose, module), *PLACES[name])
    return draw(boxes, ARROWS, "From two camera topics to fused images")
