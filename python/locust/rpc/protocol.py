"""What master and workers say to each other."""

from __future__ import annotations

from typing import Any, Self

from gregaria import _engine


class Message:
    """A kind, its data and the id of a node: who sends it to a master, or whom a master addresses."""

    def __init__(self, message_type: str, data: Any, node_id: str | None) -> None:
        self.type = message_type
        self.data = data
        self.node_id = node_id

    def __repr__(self) -> str:
        return f"<Message {self.type}:{self.node_id}>"

    def serialize(self) -> bytes:
        """MessagePack, as it goes over the wire.

        Raises `TypeError` for what cannot be represented, `OverflowError` for integers beyond 64 bits, `ValueError` for
        what nests too deep.
        """
        return _engine.pack(self.type, self.data, self.node_id)

    @classmethod
    def unserialize(cls, data: bytes) -> Self:
        """The message in these bytes. Raises `ValueError` where they are none."""
        return cls(*_engine.unpack(data))
