"""The world around Martlet: a receiver of Slack's format, and a client that scores without pause."""

import http.client
import json
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENT = [0.038, 0.051, 0.062, 0.022, -0.044, -0.035, -0.043, -0.003, 0.020, -0.018]
OTHER = [-0.002, -0.045, -0.051, -0.026, -0.008, -0.019, 0.074, -0.039, -0.068, -0.092]


class Slack:
    """What an incoming webhook of Slack is to the notifier."""

    def __init__(self, host="127.0.0.1", port=0):
        self.texts = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                receiver.texts.append(json.loads(body)["text"])
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *arguments):
                """Silent: the demo tells its own story."""

        self.server = ThreadingHTTPServer((host, port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/services/T000/B000/demo"

    def stop(self):
        self.server.shutdown()


def score(url, rows, timeout=10, connection=None):
    """Asks for scores; returns status and answer."""
    parts = urllib.parse.urlsplit(url)
    own = connection or http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        own.request("POST", parts.path, json.dumps({"data": rows}), {"Content-Type": "application/json"})
        answer = own.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        if connection is None:
            own.close()


class Client:
    """Scores two patients again and again, on a kept connection and on new ones in turn."""

    def __init__(self, url):
        self.url = url
        self.requests = 0
        self.failures = []
        self.answers = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        parts = urllib.parse.urlsplit(self.url)
        kept = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
        while not self.over.is_set():
            self.requests += 1
            try:
                status, answer = score(self.url, [PATIENT, OTHER], connection=kept if self.requests % 2 else None)
                if status != 200 or len(answer.get("result", [])) != 2:
                    self.failures.append(f"{status} {answer}")
                elif not self.answers or self.answers[-1] != answer["result"]:
                    self.answers.append(answer["result"])
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.failures.append(f"{type(error).__name__}: {error}")
                kept.close()
            time.sleep(0.005)

    def stop(self):
        self.over.set()
        self.thread.join(15)
