"""The figures of both networks. Their parts and connections are read from the running module.

This file holds only the place of each box. A part without a place is an error.
"""

from __future__ import annotations

import torch
from diagram import Arrow, Box, draw
from network_trace import Module, Trace, trace

from psfusion_core.models.networks import MODELS

Place = tuple[float, int, str, float]
"""Column, row, kind of colour, columns covered."""

LITE: dict[str, Place] = {
    "in:visible": (2.0, 0, "visible", 1.0),
    "in:infrared": (5.0, 0, "infrared", 1.0),
    "visible_details": (1.0, 1, "visible", 1.0),
    "visible_encoder": (2.5, 1, "visible", 2.0),
    "infrared_encoder": (4.5, 1, "infrared", 2.0),
    "infrared_details": (6.0, 1, "infrared", 1.0),
    "sdfm1": (1.0, 2, "fusion", 1.0),
    "sdfm2": (2.0, 2, "fusion", 1.0),
    "sdfm3": (3.0, 2, "fusion", 1.0),
    "sdfm4": (4.0, 2, "fusion", 1.0),
    "psfm5": (5.0, 2, "fusion", 1.0),
    "psfm6": (6.0, 2, "fusion", 1.0),
    "widen3": (3.0, 3, "fusion", 1.0),
    "widen4": (4.0, 3, "fusion", 1.0),
    "inject_level3": (2.0, 4, "scene", 1.0),
    "sparse_semantic_perception": (4.5, 4, "semantics", 4.0),
    "inject_semantics": (2.0, 5, "scene", 1.0),
    "semantic_heads": (5.0, 5, "semantics", 2.0),
    "reconstruct_scene": (2.0, 6, "scene", 1.0),
    "narrow": (2.0, 7, "scene", 1.0),
    "refine_full_size": (1.5, 8, "scene", 2.0),
    "fused_head": (1.0, 9, "scene", 1.0),
    "visible_head": (2.0, 9, "visible", 1.0),
    "infrared_head": (3.0, 9, "infrared", 1.0),
    "out:semantic": (4.0, 6, "output", 1.0),
    "out:binary": (5.0, 6, "output", 1.0),
    "out:boundary": (6.0, 6, "output", 1.0),
    "out:fused": (1.0, 10, "output", 1.0),
    "out:visible": (2.0, 10, "output", 1.0),
    "out:infrared": (3.0, 10, "output", 1.0),
}

PUBLISHED: dict[str, Place] = {
    "in:visible": (2.0, 0, "visible", 1.0),
    "in:infrared": (5.0, 0, "infrared", 1.0),
    "visible_encoder": (2.0, 1, "visible", 3.0),
    "infrared_encoder": (5.0, 1, "infrared", 3.0),
    "sdfm1": (1.0, 2, "fusion", 1.0),
    "sdfm2": (2.0, 2, "fusion", 1.0),
    "sdfm3": (3.0, 2, "fusion", 1.0),
    "psfm4": (4.0, 2, "fusion", 1.0),
    "psfm5": (5.0, 2, "fusion", 1.0),
    "psfm6": (6.0, 2, "fusion", 1.0),
    "sim1": (2.0, 3, "scene", 1.0),
    "s2pm": (4.5, 3, "semantics", 4.0),
    "sim2": (1.0, 4, "scene", 1.0),
    "perception_heads": (5.0, 4, "semantics", 2.0),
    "dsrm1": (1.0, 5, "scene", 1.0),
    "sim3": (1.5, 6, "scene", 2.0),
    "dsrm2": (1.5, 7, "scene", 2.0),
    "fused_head": (1.0, 8, "scene", 1.0),
    "visible_head": (2.0, 8, "visible", 1.0),
    "infrared_head": (3.0, 8, "infrared", 1.0),
    "out:semantic": (4.0, 5, "output", 1.0),
    "out:binary": (5.0, 5, "output", 1.0),
    "out:boundary": (6.0, 5, "output", 1.0),
    "out:fused": (1.0, 9, "output", 1.0),
    "out:visible": (2.0, 9, "output", 1.0),
    "out:infrared": (3.0, 9, "output", 1.0),
}

PLACES = {"psfusion_lite": LITE, "psfusion": PUBLISHED}


def draw_network(name: str) -> str:
    """Return the figure of a network as SVG.

    Args:
        name: Name of the network in `psfusion_core.models.networks.MODELS`.

    Raises:
        ValueError: A part of the network has no place in the figure, or a place has no part.
    """
    places = PLACES[name]
    with torch.device("meta"):
        network = trace(MODELS[name]())
    boxes = {**_ends(network), **{part: _lines(part, module) for part, module in network.modules.items()}}
    if boxes.keys() != places.keys():
        raise ValueError(f"places of {name} differ from its parts in {sorted(boxes.keys() ^ places.keys())}")
    arrows: list[Arrow] = []
    for part, sources in _edges(network).items():
        for source in sorted(sources, key=list(places).index):
            if source.startswith("in:") and places[part][1] > places[source][1] + 1:
                boxes[part] = (*boxes[part], f"+ {source[3:]} image")  # an arrow would cross the whole figure
            else:
                arrows.append(Arrow(source, part, places[source][2]))
    drawn = {}
    for part, (column, row, kind, span) in places.items():
        about = network.modules[part].about if part in network.modules else ""
        drawn[part] = Box(boxes[part], column, row, kind, span, about)
    return draw(drawn, arrows, f"The parts of {name} and their connections")


def _ends(network: Trace) -> dict[str, tuple[str, ...]]:
    """Return the lines of text of the inputs and outputs."""
    ends: dict[str, tuple[str, ...]] = {
        "in:visible": ("visible", "RGB in [0, 1]"),
        "in:infrared": ("infrared", "in [0, 1]"),
    }
    meanings = {
        "semantic": "class logits",
        "binary": "object logits",
        "boundary": "boundary logits",
        "fused": "luma in [0, 1]",
        "visible": "reconstructed",
        "infrared": "reconstructed",
    }
    return ends | {f"out:{output}": (output, meanings[output]) for output in network.outputs}


def _lines(name: str, module: Module) -> tuple[str, ...]:
    sizes = module.sizes()
    shown = sizes[0]
    if len(sizes) > 1:
        channels = ", ".join(size.split(" @ ")[0] for size in sizes)
        scales = list(dict.fromkeys(size.split(" @ ")[1] for size in sizes))
        shown = f"{channels} @ {scales[0]}" + (f" to {scales[-1]}" if len(scales) > 1 else "")
    return name.replace("_", " "), module.kind.replace("Sequential", "convolution"), shown


def _edges(network: Trace) -> dict[str, frozenset[str]]:
    inner = {name: module.sources for name, module in network.modules.items()}
    return inner | {f"out:{name}": sources for name, sources in network.outputs.items()}
