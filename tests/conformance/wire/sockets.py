"""Sockets of `locust.rpc` with each other, here or on Locust: prints what they say."""

from __future__ import annotations

import gevent

from locust.exception import RPCError, RPCReceiveError
from locust.rpc import Message, rpc

server = rpc.Server("127.0.0.1", 0)
client = rpc.Client("127.0.0.1", server.port, "host_1")
client.send(Message("client_ready", {"a": [1, 2.5, None, b"x"]}, "host_1"))
sender, message = server.recv_from_client()
print(sender, message, message.data)
server.send_to_client(Message("ack", {"index": 0}, "host_1"))
server.send_to_client(Message("ack", {"index": 1}, "nobody"))
message = client.recv()
print(message.type, message.data, message.node_id)

client.socket.send(Message("broken", None, "host_1").serialize() + b"\0")
try:
    server.recv_from_client()
except RPCReceiveError as e:
    print(type(e).__name__, e, e.addr)

try:
    rpc.Server("127.0.0.1", server.port)
except RPCError as e:
    print(str(e).partition(":")[0], "in use" in str(e))

with gevent.Timeout(0.3, False):
    client.recv()
    print("nobody has sent this")
client.close()
server.close()
print("closed")
