#!/usr/bin/env python3
"""A ring node with an HTTP interface: its ring talks UDP, its port also answers HTTP over TCP.

    POST /join {"via": "HOST:PORT"}    POST /leave    GET /node    GET /owner/KEY
    PUT /keys/KEY {"value": "..."}     GET /keys/KEY              DELETE /keys/KEY
"""
import asyncio
import http.server
import json
import threading

from ring import Refused, arguments, join, started

STATUS = {11: 503, 20: 404, 22: 409}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        match self.path.split("/"):
            case ["", "node"]:
                self.answer(self.node.ask("state"))
            case ["", "owner", key]:
                self.answer(self.node.ask("lookup", key=int(key)))
            case ["", "keys", key]:
                self.answer(self.node.ask("get", key=int(key)))
            case _:
                self.say(404, {"error": "no such page"})

    def do_POST(self):
        match self.path:
            case "/join":
                self.answer(join(self.node, self.body().get("via")))
            case "/leave":
                self.answer(self.node.ask("leave"))
            case _:
                self.say(404, {"error": "no such page"})

    def do_PUT(self):
        self.answer(self.node.ask("put", key=int(self.path.rsplit("/", 1)[1]), value=self.body()["value"]))

    def do_DELETE(self):
        self.answer(self.node.ask("delete", key=int(self.path.rsplit("/", 1)[1])))

    def body(self):
        length = int(self.headers.get("content-length", 0))
        return json.loads(self.rfile.read(length) or "{}")

    def answer(self, work):
        """Has the ring's own thread do it."""
        try:
            self.say(200, asyncio.run_coroutine_threadsafe(work, self.loop).result() or {})
        except Refused as error:
            self.say(STATUS.get(error.args[0], 500), {"error": error.args[1]})

    def say(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


async def main():
    options = arguments().parse_args()
    Handler.node, Handler.loop = await started(options), asyncio.get_running_loop()
    server = http.server.ThreadingHTTPServer((options.host, options.port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    await asyncio.Event().wait()


asyncio.run(main())
