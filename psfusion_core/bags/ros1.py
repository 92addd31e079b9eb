"""Converts messages of ROS 1 bags to ROS 2."""

from __future__ import annotations

from typing import Any

from psfusion_core.bags.rosbags_package import typestore

HEADER = "std_msgs/msg/Header"
"""The one type whose wire format differs: ROS 2 has no `seq`. rosbags converts it."""


class Ros1Converter:
    """Converts serialised ROS 1 messages to CDR without deserialising them."""

    def __init__(self) -> None:
        self.types = typestore()
        self._known: set[str] = set()

    def __call__(self, connection: Any, data: bytes) -> memoryview:
        """Convert a message.

        Raises:
            Exception: The type has other fields in ROS 2, its definition cannot be parsed, or the data do
                not fit it. rosbags raises several types.
        """
        if connection.msgtype not in self._known:
            self.learn(connection)
        return self.types.ros1_to_cdr(data, connection.msgtype)

    def learn(self, connection: Any) -> None:
        """Learn the type of a topic's messages; raises as `__call__` does."""
        from rosbags.convert.converter import is_same_wireformat
        from rosbags.typesys import Stores, get_types_from_msg, get_typestore

        name = connection.msgtype
        source = get_typestore(Stores.EMPTY)
        source.register(get_types_from_msg(connection.msgdef.data, name))
        new = {kind: fields for kind, fields in source.fielddefs.items() if kind not in self.types.fielddefs}
        new.pop(HEADER, None)
        self.types.register(new)
        if not is_same_wireformat(source, self.types, name, name):
            raise ValueError(f"expected {name} with the fields that it has in ROS 2, got others")
        self._known.add(name)
