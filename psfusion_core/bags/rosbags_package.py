"""The package rosbags, imported in one place: readers with bounded decompressors, and message types."""

from __future__ import annotations

from typing import Any

from psfusion_core.bags.unpacking import bound_decompressors


def import_rosbags() -> Any:
    """Return the package rosbags with its readers and its types.

    Raises:
        ImportError: it is missing; the message says what to install.
    """
    try:
        import rosbags
        import rosbags.rosbag1
        import rosbags.rosbag2
        import rosbags.typesys

        bound_decompressors()
    except ImportError as error:
        raise ImportError(f"{error}: bags need pip install '.[bag]'") from error
    return rosbags


def typestore() -> Any:
    """Return the message types of ROS 2; those of images and cameras are the same in all versions."""
    types = import_rosbags().typesys
    return types.get_typestore(types.Stores.ROS2_HUMBLE)
