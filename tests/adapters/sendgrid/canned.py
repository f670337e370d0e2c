"""A server on loopback that gives every request the same answer, byte for byte."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def answer(status: str, body: bytes = b"", **headers: str) -> bytes:
    """Return an HTTP response; underscores in header names stand for hyphens."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


@contextmanager
def answering(response: bytes, certificate: Path | None = None) -> Iterator[str]:
    """Serve this response, with a certificate by TLS; yield the URL."""
    with _listening(certificate) as listening:
        thread = threading.Thread(target=_serve, args=(listening, response), daemon=True)
        thread.start()
        scheme = "https" if certificate else "http"
        yield f"{scheme}://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def _listening(certificate: Path | None) -> socket.socket:
    listening = socket.create_server(("127.0.0.1", 0))
    if certificate is None:
        return listening
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context.wrap_socket(listening, server_side=True)


def _serve(listening: socket.socket, response: bytes) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except ssl.SSLError:  # the certificate was refused
            continue
        except OSError:  # shut down
            return
        with connection, connection.makefile("rb") as request:
            length = 0
            while (line := request.readline().strip()) != b"":
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            request.read(length)
            connection.sendall(response)
