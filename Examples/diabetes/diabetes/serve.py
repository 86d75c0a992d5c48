"""Serves a model over HTTP: GET /healthz, POST /score. PORT and MARTLET_MODEL come from the deployer."""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import joblib

from diabetes.score import score


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without it a reply waits 40 ms for the client's delayed acknowledgement.
    disable_nagle_algorithm = True
    timeout = 60

    def do_GET(self):
        if self.path == "/healthz":
            self.answer(200, {"status": "ok"})
        else:
            self.answer(404, {"error": f"there is no {self.path}"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/score":
            return self.answer(404, {"error": f"there is no {self.path}"})
        try:
            self.answer(200, score(self.server.model, json.loads(body)))
        except ValueError as error:
            self.answer(400, {"error": str(error)})
        except Exception as error:
            self.answer(500, {"error": f"{type(error).__name__}: {error}"})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        """One line for every health check would bury what matters."""


def main():
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8000"))), Handler)
    server.daemon_threads = True
    server.model = joblib.load(Path(os.environ.get("MARTLET_MODEL", "outputs/model")) / "model.joblib")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"serving on port {server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
