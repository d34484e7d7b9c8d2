#!/usr/bin/env python3
"""A release that is not well, in the place of the real one: BAD_RELEASE says how. It listens on BIND.

never-ready: /readyz stays 503. broken: ready, and every page is a 500. fails-visitors: what asks before anybody has
come through the balancer is answered well, and then every page and order is a 500.
"""
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOW = os.environ["BAD_RELEASE"]


class BadRelease(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path in ("/readyz", "/healthz"):
            status = 503 if HOW == "never-ready" else 200
        else:
            status = 200 if HOW == "fails-visitors" and "X-Forwarded-For" not in self.headers else 500
        self.answer(status)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(500)

    def answer(self, status):
        body = b"bad\n"
        self.send_response(status)
        self.send_header("X-Served-By", os.environ["SERVER_ID"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


ThreadingHTTPServer.request_queue_size = 128
host, port = os.environ["BIND"].rsplit(":", 1)
ThreadingHTTPServer((host, int(port)), BadRelease).serve_forever()
