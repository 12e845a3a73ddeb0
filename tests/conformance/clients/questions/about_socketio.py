"""`locust.contrib.socketio`."""

from __future__ import annotations

from typing import Any

from asking import ask, attributes, environment, eventually, own, until_fired

from locust.contrib.socketio import SocketIOClient, SocketIOUser


def questions(address: str) -> None:
    user = SocketIOUser(environment())
    ask("the user", lambda: [type(user.sio) is SocketIOClient, type(user.sio_greenlet).__name__, own(SocketIOUser)])
    ask("the client", lambda: attributes(user.sio))
    ask("nobody there", lambda: user.sio.connect("http://127.0.0.1:1", wait_timeout=1))
    ask("not connected", lambda: user.sio.emit("ask", {"for": "pears"}))
    ask("not connected, called", lambda: user.sio.call("ask", {"for": "pears"}, timeout=0.001))

    def connect() -> Any:
        result = user.sio.connect(address, transports=["websocket"])
        until_fired(2)
        return result

    ask("connect", connect)
    ask("connected already", lambda: user.sio.connect(address, transports=["websocket"]))
    ask("emit", lambda: user.sio.emit("note", {"n": 1}))

    def told() -> Any:
        result = user.sio.emit("tell", "three words here")
        until_fired(2)
        return result

    ask("emit, answered by an event", told)
    ask("call", lambda: user.sio.call("ask", {"for": "pears"}))
    ask("call without data", lambda: user.sio.call("ask"))
    ask("call in vain", lambda: user.sio.call("ask", "slowly", timeout=0.001))
    ask("send", lambda: user.sio.send("hello"))
    ask("send under a name", lambda: user.sio.send({"a": 1, "b": 2}, name="two"))
    ask("send nothing", lambda: user.sio.send(None))
    ask("emit a number", lambda: user.sio.emit("note", 5))
    ask("emit nothing", lambda: user.sio.emit("note"))
    ask("send a number", lambda: user.sio.send(5))
    ask("an event that is no text", lambda: user.sio.emit(7, "x"))
    ask("a message of a number", lambda: user.sio.on_message("told", 5))
    ask("a message of nothing", lambda: user.sio.on_message("told", None))
    called: list[Any] = []
    ask("a callback", lambda: user.sio.emit("ask", "x", callback=lambda data: called.append(data)))
    ask("the callback was called", lambda: eventually(lambda: called))
    ask("another namespace", lambda: user.sio.emit("ask", "x", namespace="/elsewhere"))
    user.sio.disconnect()

    class Strict(SocketIOUser):
        options = {"reconnection": False}

    ask("options", lambda: Strict(environment()).sio.reconnection)
