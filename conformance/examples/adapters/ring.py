"""What the three programs of this directory share: the ring of ../nodes/ring_node.py over UDP, and their arguments.

None of them speaks the control plane: each has an interface of its own, as programs do that were written for something
else, and an adapter (the TOML file beside it) behind which the kit drives it all the same.
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "nodes"))
from ring_node import Node, Refused  # noqa: E402


def arguments(parser=None):
    parser = parser or argparse.ArgumentParser()
    parser.add_argument("-host", default="127.0.0.1")
    parser.add_argument("-port", type=int, default=7000)
    parser.add_argument("-id", type=lambda text: int(text, 0), default=0)
    parser.add_argument("-bits", type=int, default=7)
    parser.add_argument("-successors", type=int, default=3)
    parser.add_argument("-replicas", type=int, default=2)
    parser.add_argument("-stabilize", type=int, default=200, help="milliseconds between two rounds")
    parser.add_argument("-timeout", type=int, default=400, help="milliseconds after which a silent node is dead")
    return parser


async def started(options):
    """A node that listens, and is no member of a ring yet."""
    node = Node()
    ring = {
        "id": options.id,
        "bits": options.bits,
        "successors": options.successors,
        "replicas": options.replicas,
        "stabilize_ms": options.stabilize,
        "timeout_ms": options.timeout,
    }
    address = f"{options.host}:{options.port}"
    await node.kit_init(f"n{options.id}", "sockets", address, None, ring)
    return node


async def join(node, address):
    """Joins through the node at that address; without one, it is a ring by itself."""
    await node.kit_join({"address": address} if address else None)


__all__ = ["Refused", "arguments", "join", "started"]
