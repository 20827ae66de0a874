"""Asks a service from where it can be reached: requests come in as lines of JSON, answers go out as such.

A request is `[method, path, body]`, an answer `[status, body]`.
"""

from __future__ import annotations

import http.client
import json
import sys

SECONDS = 300


def main() -> None:
    """Answer each line of the input until it ends."""
    port = int(sys.argv[1])
    for line in sys.stdin:
        method, path, body = json.loads(line)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        print(json.dumps([response.status, json.loads(response.read())]), flush=True)
        connection.close()


if __name__ == "__main__":
    main()
