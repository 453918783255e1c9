#!/usr/bin/env python3
"""A ring node with a prompt: type `help`."""
import asyncio
import sys

from ring import Refused, arguments, join, started

HELP = "create | join HOST:PORT | leave | info | find KEY | put KEY VALUE | get KEY | del KEY | quit"


async def command(node, words):
    match words:
        case ["create"]:
            await join(node, None)
            print("a new ring")
        case ["join", address]:
            await join(node, address)
            print("joined")
        case ["leave"]:
            await node.ask("leave")
            print("left")
        case ["info"]:
            state = await node.ask("state")
            print(f"node {state['id']}, predecessor {state['predecessor']}")
            print("successors:", *state["successors"])
            for finger in state["fingers"]:
                print(f"finger {finger['start']} -> {finger['node']}")
            for key in state["keys"]:
                print("stores", key)
        case ["find", key]:
            found = await node.ask("lookup", key=int(key))
            print(f"key {key} belongs to node {found['owner']}")
            print("route:", " -> ".join(map(str, found["path"])))
        case ["put", key, value]:
            await node.ask("put", key=int(key), value=value)
            print("stored")
        case ["get", key]:
            print(key, "=", (await node.ask("get", key=int(key)))["value"])
        case ["del", key]:
            await node.ask("delete", key=int(key))
            print("gone")
        case _:
            print(HELP)


async def main():
    node = await started(arguments().parse_args())
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while True:
        print("> ", end="", flush=True)
        line = (await lines.readline()).decode()
        if not line or line == "quit\n":
            return
        # A value may have spaces in it.
        words = line.rstrip("\n").split(" ", 2) if line.startswith("put ") else line.split()
        try:
            await command(node, words)
        except Refused as error:
            print("error:", error.args[1])
        except ValueError as error:
            print("error:", error)


asyncio.run(main())
