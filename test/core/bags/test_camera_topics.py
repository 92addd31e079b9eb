"""Which topics are taken for the cameras, and what is said where that is not clear."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_bags import CAMERA_INFO, COMPRESSED, IMAGE, START, camera_info, pixels, png, raw, write_bag

from psfusion_core.bags.bag_reader import Bag, BagError
from psfusion_core.bags.camera_topics import CameraTopics, TopicNames, find_topics

DATA = {
    IMAGE: raw(pixels(0)[1], START, "camera"),
    COMPRESSED: png(pixels(0)[1], START, "camera"),
    CAMERA_INFO: camera_info(START, "camera"),
}


def find(folder: Path, names: TopicNames, **topics: str) -> CameraTopics:
    drive = ((name, kind, START, DATA[kind]) for name, kind in topics.items())
    with Bag(write_bag(folder / "bag", drive)) as bag:
        return find_topics(bag, names)


@pytest.mark.parametrize(
    ("topics", "visible", "infrared"),
    [
        (["/visible/image", "/infrared/image"], "/visible/image", "/infrared/image"),
        (
            ["/front/rgb/image_raw", "/front/thermal/image_raw"],
            "/front/rgb/image_raw",
            "/front/thermal/image_raw",
        ),
        (["/camera/color/image", "/boson/image"], "/camera/color/image", "/boson/image"),
        (["/rgb", "/lwir", "/fused/visible", "/semantic/visible/mask"], "/rgb", "/lwir"),
        (["/visible/image", "/visible/depth/image", "/ir/image"], "/visible/image", "/ir/image"),
    ],
)
def test_topics_are_found_by_the_parts_of_their_names(
    tmp_path: Path, topics: list[str], visible: str, infrared: str
) -> None:
    found = find(tmp_path, TopicNames(), **dict.fromkeys(topics, IMAGE))
    assert (found.visible.name, found.infrared.name) == (visible, infrared)


def test_a_raw_topic_is_preferred_and_a_compressed_one_is_taken_where_there_is_no_other(
    tmp_path: Path,
) -> None:
    topics = {
        "/visible/image": IMAGE,
        "/visible/image/compressed": COMPRESSED,
        "/infrared/image/compressed": COMPRESSED,
        "/visible/camera_info": CAMERA_INFO,
        "/infrared/camera_info": CAMERA_INFO,
    }
    found = find(tmp_path, TopicNames(), **topics)
    assert (found.visible.name, found.infrared.name) == ("/visible/image", "/infrared/image/compressed")
    assert {camera: topic.name for camera, topic in found.infos} == {
        "visible": "/visible/camera_info",
        "infrared": "/infrared/camera_info",
    }


def test_names_that_are_given_hold(tmp_path: Path) -> None:
    names = TopicNames("a", "/b", visible_info="/c/info")
    found = find(tmp_path, names, **{"/a": IMAGE, "/b": IMAGE, "/visible": IMAGE, "/c/info": CAMERA_INFO})
    assert (found.visible.name, found.infrared.name) == ("/a", "/b")
    assert [(camera, topic.name) for camera, topic in found.infos] == [("visible", "/c/info")]


@pytest.mark.parametrize(
    ("topics", "names", "message"),
    [
        (
            {"/visible": IMAGE},
            TopicNames(),
            "named as infrared images are, got no topic among /visible: name it",
        ),
        (
            {"/rgb/a": IMAGE, "/rgb/b": IMAGE, "/ir": IMAGE},
            TopicNames(),
            "visible .* got /rgb/a, /rgb/b among",
        ),
        (
            {"/rgb": IMAGE, "/ir": IMAGE},
            TopicNames("/left"),
            "images on /left in .*, got images on /ir, /rgb",
        ),
        ({"/a": IMAGE, "/b": IMAGE}, TopicNames("/a", "/a"), "two cameras in .*, got /a for both"),
        (
            {"/rgb": IMAGE, "/ir": IMAGE},
            TopicNames(visible_info="/x"),
            "camera_info on /x in .*, got camera_info on no",
        ),
    ],
)
def test_what_is_not_clear_is_one_line(
    tmp_path: Path, topics: dict[str, str], names: TopicNames, message: str
) -> None:
    with pytest.raises(BagError, match=rf"\Aexpected [^\n]*{message}[^\n]*\Z"):
        find(tmp_path, names, **topics)
