"""Ends with 0 when the service on this container's port says on `/readyz` that it is ready; otherwise tells its words.

A container is asked every few seconds, so this is plain sockets: it costs a fraction of what an HTTP client does.
"""

import socket
import sys

_patience_s = 2.0
_request = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def main(port: int) -> str | None:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_patience_s) as connection:
            connection.sendall(_request)
            with connection.makefile("rb") as received:
                answer = received.read()
    except OSError as error:
        return str(error)
    return None if answer.startswith(b"HTTP/1.1 200 ") else answer.decode(errors="replace")


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
