"""Users that speak Socket.IO. Needs python-socketio with its client: `pip install 'gregaria[socketio]'`."""

from __future__ import annotations

from typing import Any

import gevent
import socketio

from ..event import EventHook
from ..user.users import User


class SocketIOClient(socketio.Client):
    """A `socketio.Client` that reports what it does: `WS` for connecting, `WSE` for events it emits, `WSS` for messages
    it sends, `WSC` for calls with their answers, `WSR` for events it receives.

    Only connecting and calls take time, and they raise nothing: what goes wrong is the request's failure.
    """

    def __init__(self, request_event: EventHook, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request_event = request_event

    def connect(self, *args: Any, **kwargs: Any) -> None:
        """Connect, measured from the first packet to the server's consent."""
        with self.request_event.measure("WS", "connect"):
            super().connect(*args, **kwargs)

    def send(self, data: Any, namespace: str | None = None, callback: Any = None, name: str = "Unnamed") -> None:
        """Send a message, counted under `name`; and as an event, which it is."""
        exception = _raised(super().send, data, namespace, callback)
        self._count("WSS", name, data, exception)

    def emit(self, event: str, data: Any = None, namespace: str | None = None, callback: Any = None) -> None:
        """Emit an event, counted under its name."""
        exception = _raised(super().emit, event, data, namespace, callback)
        self._count("WSE", str(event), data, exception)

    def call(self, event: str, data: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Emit an event and wait for its answer, which is returned; None when none came in time."""
        with self.request_event.measure("WSC", event):
            return super().call(event, data, *args, **kwargs)

    def on_message(self, event: str, data: Any = None) -> None:
        """Called with every event that has no handler of its own. Override it, or add handlers with `on`."""
        self._count("WSR", event, data, None)

    def _count(self, request_type: str, name: str, data: Any, exception: Exception | None) -> None:
        self.request_event.fire(
            request_type=request_type,
            name=name,
            response_time=0,
            response_length=len(data or []),
            exception=exception,
            context={},
        )


def _raised(function: Any, *args: Any) -> Exception | None:
    try:
        function(*args)
    except Exception as error:
        return error
    return None


class SocketIOUser(User):
    """A user with a Socket.IO connection, `self.sio`, that receives in the background while tasks run."""

    abstract = True

    options: dict[str, Any] = {}
    """What `socketio.Client` is made with, such as `{"reconnection": False}`."""

    sio: SocketIOClient

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sio = SocketIOClient(self.environment.events.request, **self.options)
        self.sio.on("*", self.sio.on_message)
        self.sio_greenlet = gevent.spawn(self.sio.wait)
