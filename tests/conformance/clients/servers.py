"""Servers that speak other protocols than HTTP, each on a free port of the loopback, each with a count of its own.

They answer slowly on purpose: a client that held up the whole process while it waits would be the only one they see.
"""

from __future__ import annotations

import io
import json
import socketserver
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from xmlrpc.client import Fault
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer

SLOW = 0.02
"""Seconds that every answer takes."""


class Witness:
    """What a server saw: how often each thing was asked, and how many questions it had before it at once."""

    def __init__(self, address: str = "") -> None:
        self.address = address
        self.asked: Counter[str] = Counter()
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()

    @contextmanager
    def answering(self, what: str) -> Iterator[None]:
        """Around the answer to one question. It takes the time that answers take."""
        with self._lock:
            self.asked[what] += 1
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            time.sleep(SLOW)
            yield
        finally:
            with self._lock:
                self._now -= 1


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[int]:
    """Serve in a thread while the block runs, which is given the port."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _XmlRpcServer(socketserver.ThreadingMixIn, SimpleXMLRPCServer):
    daemon_threads = True
    request_queue_size = 64


class _XmlRpcHandler(SimpleXMLRPCRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True


STOCK = {"pear": 12, "plum": 3}


@contextmanager
def xmlrpc() -> Iterator[Witness]:
    """`in_stock(product)` tells a number, `reserve(product)` a text; both refuse what is not sold."""
    witness = Witness()

    def in_stock(product: str) -> int:
        with witness.answering("in_stock"):
            return _sold(product)

    def reserve(product: str) -> str:
        with witness.answering("reserve"):
            return f"reserved 1 of {_sold(product)}"

    def _sold(product: str) -> int:
        if product not in STOCK:
            raise Fault(404, f"no {product} here")
        return STOCK[product]

    with _XmlRpcServer(("127.0.0.1", 0), _XmlRpcHandler, logRequests=False) as server:
        server.register_function(in_stock)
        server.register_function(reserve)
        with _serving(server) as port:
            witness.address = f"http://127.0.0.1:{port}"
            yield witness


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64


@contextmanager
def lines() -> Iterator[Witness]:
    """A line in, a line out: `LOOK product` is answered with `FOUND number`, or `MISSING`."""
    witness = Witness()

    class Handler(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            for line in self.rfile:
                verb, _, product = line.decode().strip().partition(" ")
                with witness.answering(verb):
                    found = f"FOUND {STOCK[product]}" if product in STOCK else "MISSING"
                    self.wfile.write(f"{found}\n".encode())

    with _TcpServer(("127.0.0.1", 0), Handler) as server, _serving(server) as port:
        witness.address = f"127.0.0.1:{port}"
        yield witness


@contextmanager
def websocket() -> Iterator[Witness]:
    """Answers a JSON message with the same message, its `kind` turned round: `ask` comes back as `answer`."""
    from websockets.sync.server import ServerConnection, serve

    witness = Witness()

    def handle(connection: ServerConnection) -> None:
        for text in connection:
            message = json.loads(text)
            with witness.answering(message["kind"]):
                connection.send(json.dumps({**message, "kind": "answer"}))

    with serve(handle, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        witness.address = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        try:
            yield witness
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def grpc_shop() -> Iterator[Witness]:
    """The service `shop.Stock`: `InStock` tells a number, `Watch` streams some; unknown products are NOT_FOUND."""
    import grpc
    from google.protobuf.wrappers_pb2 import Int64Value, StringValue

    witness = Witness()

    def in_stock(request: StringValue, context: grpc.ServicerContext) -> Int64Value:
        with witness.answering("InStock"):
            if request.value not in STOCK:
                context.abort(grpc.StatusCode.NOT_FOUND, f"no {request.value} here")
            return Int64Value(value=STOCK[request.value])

    def watch(request: StringValue, _context: grpc.ServicerContext) -> Iterator[Int64Value]:
        with witness.answering("Watch"):
            for number in range(STOCK[request.value]):
                yield Int64Value(value=number)

    messages = {"request_deserializer": StringValue.FromString, "response_serializer": Int64Value.SerializeToString}
    handlers = {
        "InStock": grpc.unary_unary_rpc_method_handler(in_stock, **messages),
        "Watch": grpc.unary_stream_rpc_method_handler(watch, **messages),
    }
    server = grpc.server(ThreadPoolExecutor(32))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("shop.Stock", handlers)])
    witness.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield witness
    finally:
        server.stop(None).wait()


@contextmanager
def dns() -> Iterator[Witness]:
    """Knows the address of `shop.test`, and that `empty.test` has none; over UDP and over TCP."""
    import dns.flags
    import dns.message
    import dns.rcode
    import dns.rrset

    witness = Witness()

    def answer(wire: bytes) -> bytes:
        query = dns.message.from_wire(wire)
        name = query.question[0].name.to_text()
        with witness.answering(name):
            response = dns.message.make_response(query)
            if name == "shop.test.":
                response.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.7"))
            elif name != "empty.test.":
                response.set_rcode(dns.rcode.NXDOMAIN)
            return response.to_wire()

    class Udp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, listener = self.request
            listener.sendto(answer(wire), self.client_address)

    class Tcp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            if length := self.rfile.read(2):
                wire = answer(self.rfile.read(int.from_bytes(length)))
                self.wfile.write(len(wire).to_bytes(2) + wire)

    class UdpServer(socketserver.ThreadingUDPServer):
        daemon_threads = True

    with ExitStack() as stack:
        port = 0
        while not port:
            udp = UdpServer(("127.0.0.1", 0), Udp)
            try:
                tcp = _TcpServer(udp.server_address, Tcp)
                port = udp.server_address[1]
            except OSError:  # that number is taken for TCP
                udp.server_close()
        for server in (udp, tcp):
            stack.enter_context(_serving(server))
        witness.address = f"127.0.0.1:{port}"
        yield witness


class _SocketIoHandler(WSGIRequestHandler):
    """The standard library's, giving the connection away to whoever upgrades to WebSocket."""

    def get_environ(self) -> dict[str, Any]:
        return {**super().get_environ(), "werkzeug.socket": self.connection}

    def log_message(self, *_: Any) -> None:
        pass

    def get_stderr(self) -> io.StringIO:
        """Nobody reads it: the end of a WebSocket is an error to this server, which knows HTTP only."""
        return io.StringIO()


class _SocketIoServer(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:
        pass


@contextmanager
def socket_io() -> Iterator[Witness]:
    """Greets everybody who connects, answers `ask`, tells `tell` back to the sender, and takes what `send` brings."""
    import socketio

    witness = Witness()
    server = socketio.Server(async_mode="threading", monitor_clients=False)

    @server.event
    def connect(sid: str, _environ: dict[str, Any]) -> None:
        with witness.answering("connect"):
            server.emit("welcome", {"you": "customer"}, to=sid)

    @server.on("*")
    def any_event(event: str, sid: str, data: Any = None) -> Any:
        with witness.answering(event):
            if event == "tell":
                server.emit("told", data, to=sid)
            return {"answer": data}

    @server.on("message")
    def message(_sid: str, _data: Any = None) -> None:
        with witness.answering("message"):
            pass

    with _SocketIoServer(("127.0.0.1", 0), _SocketIoHandler) as listener:
        listener.set_app(socketio.WSGIApp(server))
        with _serving(listener) as port:
            witness.address = f"http://127.0.0.1:{port}"
            yield witness


@contextmanager
def openai() -> Iterator[Witness]:
    """What of OpenAI's API the tests ask: `responses`, `chat/completions`; an unknown model is not found."""
    witness = Witness()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with witness.answering(self.path):
                status, answer = _openai_answer(self.path, asked)
            body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

    with Server(("127.0.0.1", 0), Handler) as server, _serving(server) as port:
        witness.address = f"http://127.0.0.1:{port}/v1"
        yield witness


ODD = {"no usage": {}, "null": {"usage": None}, "a list": [1], "no JSON": "busy", "a stream": "data: {}\n\n"}
"""What is answered to a request for the model of that name."""


def _openai_answer(path: str, asked: dict[str, Any]) -> tuple[int, Any]:
    if asked.get("model") in ODD:
        return 200, ODD[asked["model"]]
    if asked.get("model") == "missing":
        return 404, {"error": {"message": "no such model", "type": "invalid_request_error", "code": "model_not_found"}}
    if path.endswith("/chat/completions"):
        message = {"role": "assistant", "content": "pears"}
        return 200, {
            "id": "c1",
            "object": "chat.completion",
            "created": 1,
            "model": asked["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
        }
    content = [{"type": "output_text", "text": "plums", "annotations": []}]
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    return 200, {
        "id": "r1",
        "object": "response",
        "created_at": 1,
        "model": asked["model"],
        "status": "completed",
        "output": [{"id": "m1", "type": "message", "role": "assistant", "status": "completed", "content": content}],
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [],
        "usage": {"input_tokens": 3, "output_tokens": 7, "total_tokens": 10, **details},
    }
