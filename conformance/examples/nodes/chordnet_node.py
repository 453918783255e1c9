#!/usr/bin/env python3
"""The library chordnet (https://pypi.org/project/chordnet/, tried with 2.2.2) behind the control plane.

Nothing of the ring is written here: the library joins, stabilizes, fixes fingers and looks up, over TCP at the address
that the kit gives. It keeps one successor and no keys. It takes a node's point from SHA-1 of its address; the kit says
which point a node has, so the point and the number of bits are set from outside.
"""
import concurrent.futures
import json
import sys
import threading

from chordnet import ChordNet
from chordnet.address import Address
from loguru import logger

NODE = None  # the library's node, once it is asked to join
TOLD = {}  # what init said
LOCK = threading.Lock()  # one line at a time on standard output


def say(body):
    with LOCK:
        print(json.dumps({"src": TOLD["node_id"], "dest": "kit", "body": body}), flush=True)


def init(body):
    TOLD.update(body)
    Address._M, Address._SPACE = body["ring"]["bits"], 1 << body["ring"]["bits"]
    return {"operations": ["join", "leave", "state", "lookup"]}


def split(address):
    host, port = address.rsplit(":", 1)
    return host, int(port)


def join(body):
    global NODE
    introducer = body.get("introducer") or TOLD["introducer"]
    node = ChordNet(*split(TOLD["address"]), interval=TOLD["ring"]["stabilize_ms"] / 1000)
    node._node.address.key = TOLD["ring"]["id"]
    if introducer is None:
        node.create()
    else:
        node.join(*split(introducer["address"]))
    NODE = node


def leave(body):
    global NODE
    NODE.leave()
    NODE = None


def state(body):
    if NODE is None:
        return {"member": False, "id": TOLD["ring"]["id"], "successors": []}
    inner, size = NODE._node, Address._SPACE
    fingers = enumerate(inner.finger_table)
    return {
        "member": True,
        "id": inner.address.key,
        "predecessor": inner.predecessor and inner.predecessor.key,
        "successors": [inner.successor().key] if inner.successor() else [],
        "fingers": [{"start": (inner.address.key + (1 << i)) % size, "node": it and it.key} for i, it in fingers],
    }


def lookup(body):
    # The public method gives the owner's address; this is what it asks, and has the owner's point as well.
    return {"owner": NODE._node.find_successor(body["key"]).key}


def answer(body):
    reply = {"in_reply_to": body["msg_id"]}
    kind = body["type"]
    known = {"init": init, "join": join, "leave": leave, "state": state, "lookup": lookup}
    try:
        if kind not in known:
            say({**reply, "type": "error", "code": 10, "text": f"chordnet has no {kind}"})
        elif NODE is None and kind in ("lookup", "leave"):
            say({**reply, "type": "error", "code": 11, "text": "not a member"})
        else:
            say({**reply, "type": kind + "_ok", **(known[kind](body) or {})})
    except Exception as error:  # whatever the library raises is its answer
        say({**reply, "type": "error", "code": 13, "text": repr(error)})


def main():
    logger.remove()
    workers = concurrent.futures.ThreadPoolExecutor(8)
    for line in sys.stdin:
        body = json.loads(line)["body"]
        if body["type"] == "init":
            answer(body)
        else:
            workers.submit(answer, body)


main()
