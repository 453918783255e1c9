#!/usr/bin/env python3
"""A ring node that is driven by commands, with flags as Go programs have them.

Without -cmd it is the node; with -cmd it tells the node at -host and -port what to do, prints what that says, and
ends with status 1 when it went wrong.
"""
import asyncio
import socket
import sys

from ring import Refused, arguments, join, started


def options():
    parser = arguments()
    parser.add_argument("-cmd", choices=["leave", "print", "lookup", "put", "get", "delete"])
    parser.add_argument("-join", metavar="HOST:PORT")
    parser.add_argument("-key", type=lambda text: int(text, 0), default=0)
    parser.add_argument("-value", default="")
    return parser.parse_args()


async def told(node, command, key, value):
    """What the node says to a command."""
    if command == "leave":
        await node.ask("leave")
        return "Left the ring."
    if command == "lookup":
        found = await node.ask("lookup", key=key)
        return f"Lookup({key:#x}) = {found['owner']:#x} after {found['hops']} hops"
    if command == "put":
        await node.ask("put", key=key, value=value)
        return "OK"
    if command == "get":
        return "Value: " + (await node.ask("get", key=key))["value"]
    if command == "delete":
        await node.ask("delete", key=key)
        return "OK"
    state = await node.ask("state")
    lines = [f"Self: {state['id']:#x}"]
    if state["predecessor"] is not None:
        lines.append(f"Pred: {state['predecessor']:#x}")
    lines += [f"Succ[{i}]: {node:#x}" for i, node in enumerate(state["successors"])]
    lines += [f"Key: {key:#x}" for key in state["keys"]]
    return "\n".join(lines)


async def serve(options):
    node = await started(options)

    async def answer(reader, writer):
        command, key, value = (await reader.read()).decode().split("\n", 2)
        try:
            said = "0" + await told(node, command, int(key), value)
        except Refused as error:
            said = f"1ERROR {error.args[0]}: {error.args[1]}"
        writer.write(said.encode())
        writer.close()

    try:
        await join(node, options.join)
    except Refused as error:
        sys.exit(f"cannot join: {error.args[1]}")
    server = await asyncio.start_server(answer, options.host, options.port)
    print("serving on", options.port, flush=True)
    await server.serve_forever()


def client(options):
    with socket.create_connection((options.host, options.port), timeout=20) as connection:
        connection.sendall(f"{options.cmd}\n{options.key}\n{options.value}".encode())
        connection.shutdown(socket.SHUT_WR)
        said = connection.makefile(encoding="utf-8").read()
    print(said[1:])
    sys.exit(int(said[0]))


if __name__ == "__main__":
    chosen = options()
    if chosen.cmd:
        client(chosen)
    else:
        asyncio.run(serve(chosen))
