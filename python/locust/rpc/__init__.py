"""Messages between master and workers, and sockets for who speaks with them without a runner."""

from . import zmqrpc as rpc
from .protocol import Message

__all__ = ("Message", "rpc")
