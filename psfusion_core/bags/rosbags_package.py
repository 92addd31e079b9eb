"""Imports the package rosbags in one place, with a size limit on decompression."""

from __future__ import annotations

from typing import Any

from psfusion_core.bags.decompression import bound_decompressors


def import_rosbags() -> Any:
    """Return the package rosbags with its readers and its types.

    Raises:
        ImportError: The package is missing. The message says what to install.
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
    """Return the message types of ROS 2 Humble; later versions have the same types of images and cameras."""
    types = import_rosbags().typesys
    return types.get_typestore(types.Stores.ROS2_HUMBLE)
