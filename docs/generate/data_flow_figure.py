"""The figure of what becomes of two camera topics; every box but the topics is a module of the node."""

from __future__ import annotations

from diagram import Arrow, Box, draw

MODULES = {
    "visible": ("psfusion_ros.image_input", "QoS, header, stamp, frozen?"),
    "infrared": ("psfusion_ros.image_input", "QoS, header, stamp, frozen?"),
    "synchroniser": ("psfusion_ros.synchroniser", "nearest stamps; the newest pair wins"),
    "missing": ("psfusion_ros.missing_camera", "one camera silent or frozen"),
    "codec": ("psfusion_ros.image_messages", "message to frame, no copy where possible"),
    "gain": ("psfusion_core.cameras.thermal_gain", "which counts become black and white"),
    "preprocessing": ("psfusion_core.cameras", "the camera's bytes, on the device"),
    "calibration": ("psfusion_ros.camera_info_cache", "camera_info, registration"),
    "warp": ("psfusion_core.registration.infrared_warp", "infrared onto visible pixels"),
    "engine": ("psfusion_core.engines", "the network: luma, class logits"),
    "recovery": ("psfusion_core.fusion.recovery", "memory ran out: CPU or half size"),
    "postprocessing": ("psfusion_core.fusion.compose", "colours, label map, overlay"),
    "outputs": ("psfusion_ros.outputs", "only what has subscribers"),
    "diagnostics": ("psfusion_ros.diagnostics", "looks at all of it"),
}
"""Modules by the name of their box, and what they do."""

PLACES = {
    "visible": (2.0, 1, "visible", 2.0),
    "infrared": (5.0, 1, "infrared", 2.0),
    "synchroniser": (3.1, 2, "fusion", 2.4),
    "missing": (5.55, 2, "plain", 1.9),
    "codec": (2.4, 3, "fusion", 2.3),
    "gain": (5.25, 3, "infrared", 2.2),
    "preprocessing": (3.1, 4, "scene", 2.4),
    "calibration": (1.7, 5, "plain", 1.9),
    "warp": (5.25, 5, "infrared", 2.2),
    "recovery": (1.75, 6, "plain", 2.0),
    "engine": (4.5, 6, "scene", 2.2),
    "postprocessing": (4.5, 7, "scene", 2.5),
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
    Arrow("missing", "synchroniser"),
    Arrow("synchroniser", "codec", "fusion", "a pair, or one image alone"),
    Arrow("codec", "gain", "infrared", "infrared"),
    Arrow("codec", "preprocessing", "fusion", "both frames"),
    Arrow("gain", "preprocessing", "infrared"),
    Arrow("preprocessing", "warp", "infrared"),
    Arrow("calibration", "warp"),
    Arrow("preprocessing", "engine", "visible"),
    Arrow("warp", "engine", "infrared"),
    Arrow("recovery", "engine"),
    Arrow("engine", "postprocessing", "scene", "luma, logits"),
    Arrow("postprocessing", "outputs", "scene", "the pictures that are wanted"),
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
