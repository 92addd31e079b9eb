"""Fuses a chunk of a bag into a file. This is what a worker does, on this machine or another one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import cv2

from psfusion_core.bags.bag_pairing import read_pairs
from psfusion_core.bags.bag_reader import CAMERA_INFO, COMPRESSED, Bag
from psfusion_core.bags.bag_writer import BagWriter
from psfusion_core.bags.camera_topics import CameraTopics, find_topics
from psfusion_core.bags.chunk_planning import REASONS, Chunk, PlannedPair
from psfusion_core.bags.message_codec import OUTPUT_TYPES, MessageCodec
from psfusion_core.base.atomic_file import replacing
from psfusion_core.base.wording import one_line, typed_line
from psfusion_core.cameras.frame import FrameError
from psfusion_core.cameras.image_decoding import Message, to_frame
from psfusion_core.cameras.opencv_conversion import to_infrared, to_visible
from psfusion_core.cameras.stamped import Camera
from psfusion_core.cameras.thermal_gain import ThermalGain
from psfusion_core.fusion.contact_sheet import side_by_side
from psfusion_core.fusion.fusion_parameters import FusionParameters
from psfusion_core.fusion.pair_fuser import PairFuser
from psfusion_core.fusion.pictures import Pictures, Wanted
from psfusion_core.registration.camera_registration import CameraRegistration

MakeFuser: TypeAlias = Callable[[FusionParameters], PairFuser]

PREVIEW, OUTCOME = "/chunk/preview", "/chunk/outcome"
"""Further topics in the file of a chunk: pictures for the video and the contact sheet, and the outcome."""

TEXT = "std_msgs/msg/String"

PICTURES = ("/fused/image", "/semantic/mask", "/semantic/overlay")
"""Topics of the output images, in the order of `Pictures`."""

INFO_NAMES: dict[Camera, str] = {"visible": "the visible camera", "infrared": "the infrared camera"}


@dataclass
class ChunkOutcome:
    """What happened to the pairs of a chunk, under the names of the node's diagnostics.

    Attributes:
        run, number: The bag's index and the chunk's index, as in `Chunk`.
        published: Number of fused pairs.
        rejected: Number of pairs that cannot be used.
        failed: Number of pairs on which the engine failed.
        reasons: The first few different reasons for rejections and failures.
    """

    run: int
    number: int
    published: int = 0
    rejected: int = 0
    failed: int = 0
    reasons: list[str] = field(default_factory=list)

    def add_error(self, error: Exception) -> None:
        reason = one_line(error)
        if isinstance(error, FrameError):
            self.rejected += 1
        else:
            self.failed += 1
            reason = f"the engine failed: {typed_line(error)}"
        if reason not in self.reasons and len(self.reasons) < REASONS:
            self.reasons.append(reason)


def load_fuser(parameters: FusionParameters) -> PairFuser:
    from psfusion_core.fusion.fuser import Fuser  # here, because PyTorch takes seconds to import

    return Fuser(
        parameters.model, parameters.weights, parameters.device, parameters.engine, parameters.precision
    )


@dataclass(frozen=True)
class FuseChunks:
    """Starts a worker that fuses chunks (see `run_tasks`).

    Attributes:
        parameters: The parameters of the node.
        preview_width: Width of a panel of the previews, in pixels; 0 for no previews.
        make_fuser: Makes the fuser.
    """

    parameters: FusionParameters
    preview_width: int = 0
    make_fuser: MakeFuser = load_fuser

    def __call__(self) -> Callable[[Chunk], ChunkOutcome]:
        return ChunkFuser(self)


class ChunkFuser:
    """Fuses chunks of any bags, one after the other."""

    def __init__(self, settings: FuseChunks) -> None:
        self._settings = settings
        self._parameters = settings.parameters
        self._fuser = settings.make_fuser(settings.parameters)
        self._outputs = MessageCodec()
        self._registration = CameraRegistration(settings.parameters.registration(), INFO_NAMES)
        self._opened: tuple[Path, Bag] | None = None

    def __call__(self, chunk: Chunk) -> ChunkOutcome:
        """Fuse a chunk. Its file is written whole or not at all.

        Raises:
            BagError: The bag has changed since it was paired.
            OSError: The file cannot be written.
        """
        outcome = ChunkOutcome(chunk.run, chunk.number)
        bag = self._open(chunk.bag)
        topics = find_topics(bag, chunk.topics)
        with replacing(chunk.output) as temporary:
            folder = temporary.parent / "chunk"
            with BagWriter(folder, "mcap") as writer:
                for name, kind in (*OUTPUT_TYPES.items(), (PREVIEW, COMPRESSED), (OUTCOME, TEXT)):
                    writer.add(name, kind)
                self._fuse_all(bag, topics, chunk.pairs, writer, outcome)
                self._write_outcome(writer, chunk.pairs[-1].time, outcome)
            (folder / "chunk.mcap").rename(temporary)
        return outcome

    def _open(self, path: Path) -> Bag:
        """Return the bag, which stays open between chunks because opening counts its messages."""
        if self._opened is None or self._opened[0] != path:
            if self._opened is not None:
                self._opened[1].close()
            self._opened = path, Bag(path, accept_damage=True)
        return self._opened[1]

    def _fuse_all(
        self,
        bag: Bag,
        topics: CameraTopics,
        pairs: tuple[PlannedPair, ...],
        writer: BagWriter,
        outcome: ChunkOutcome,
    ) -> None:
        messages = read_pairs(bag, topics, ((pair.visible, pair.infrared) for pair in pairs))
        for pair, (visible, infrared) in zip(pairs, messages, strict=True):
            try:
                results = self._fuse(pair, visible, infrared)
            except Exception as error:  # of any type: the next pair may succeed
                outcome.add_error(error)
                continue
            for (name, kind), data in results.items():
                writer.write(name, kind, pair.time, data)
            outcome.published += 1

    def _fuse(self, pair: PlannedPair, visible: Message, infrared: Message) -> dict[tuple[str, str], bytes]:
        """Fuse a pair as the node does, and return the output messages by topic and type."""
        color, heat = to_frame(visible), to_frame(infrared)
        scale = pair.scale or ThermalGain(self._parameters.gain()).follow(heat.image)
        read = self._outputs.types.deserialize_cdr
        infos = {camera: read(info, CAMERA_INFO) for camera, info in pair.infos.items()}
        self._registration.apply_to(self._fuser, infos)
        wanted = Wanted(overlay_opacity=self._parameters.overlay_opacity)
        pictures = self._fuser.fuse_frames(color, heat, scale, wanted)
        header, make = visible.header, self._outputs
        data = {}
        if "visible" in pair.infos:
            data["/fused/camera_info"] = make.camera_info(pair.infos["visible"], header)
        for name, picture in zip(PICTURES, pictures, strict=True):
            assert picture is not None
            data[name] = make.image(picture, "rgb8" if picture.ndim == 3 else "mono8", header)
        messages = {(name, OUTPUT_TYPES[name]): value for name, value in data.items()}
        if self._settings.preview_width:
            levels = scale(to_infrared(heat))
            messages[PREVIEW, COMPRESSED] = self._preview(header, to_visible(color), levels, pictures)
        return messages

    def _preview(self, header: Any, color: Any, levels: Any, pictures: Pictures) -> bytes:
        width = self._settings.preview_width
        panels = {
            "visible": color,
            "infrared": levels,
            "fused": pictures.image,
            "fused with classes": pictures.overlay,
        }
        row = side_by_side(panels, width, round(width * color.shape[0] / color.shape[1]))
        _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(row, cv2.COLOR_RGB2BGR))
        types = self._outputs.types
        message = types.types[COMPRESSED](header=header, format="jpeg", data=jpeg.reshape(-1))
        return bytes(types.serialize_cdr(message, COMPRESSED))

    def _write_outcome(self, writer: BagWriter, time: int, outcome: ChunkOutcome) -> None:
        types = self._outputs.types
        message = types.types[TEXT](data=json.dumps(asdict(outcome)))
        writer.write(OUTCOME, TEXT, time, bytes(types.serialize_cdr(message, TEXT)))
