#!/usr/bin/env python3
"""A Chord ring over the control plane of Peerproof (docs/control-plane.md), with Python's standard library only.

It speaks JSON lines on standard input and output, and with `"network": "sockets"` the same objects over UDP. Read it
from the bottom: `main` starts it, `kit_*` answers the kit, `peer_*` other nodes, and `maintain` keeps the ring in order.

A node is named by a pair: its point on the circle, and where it is reached (a name, or host:port). Every stored value
has a version, the higher one wins; a deleted key keeps its version with the value None.
"""
import asyncio
import collections
import itertools
import json
import random
import sys
import time

TRIES = 3  # how often something is asked before the silence counts
BATCH = 8  # how many values go into one message: it stays below 64 KiB
FRIENDS = 32  # how many former neighbours are remembered, to find them again after a partition


class Refused(Exception):
    """An error to answer with, or that was the answer: its code and its text."""


class Silent(Exception):
    """A node did not answer in time."""


def batches(items, size):
    return [items[start : start + size] for start in range(0, len(items), size)]


class Node:
    def __init__(self):
        self.name = self.me = self.socket = None
        self.member = False
        self.predecessor, self.successors, self.fingers = None, [], {}
        self.next_finger = 0
        self.store = {}  # key -> (version, value)
        self.leased = {}  # key -> when its owner last said that this node is to keep it
        self.friends = collections.OrderedDict()
        self.waiting = {}  # number of a question -> future of its answer
        self.answered = collections.OrderedDict()  # (asker, number) -> answer: the same question may come twice
        self.numbers = itertools.count(random.randrange(1 << 40))
        self.adopting = asyncio.Lock()
        self.tasks = set()

    # The circle.

    def within(self, low, point, high):
        """Whether the point is in (low, high]; (a, a] is the whole circle."""
        return low == high or 0 < (point - low) % self.size <= (high - low) % self.size

    def inside(self, low, point, high):
        """Whether the point is in (low, high)."""
        return point != high and point != low and self.within(low, point, high)

    def owns(self, key):
        return self.predecessor is None or self.within(self.predecessor[0], key, self.me[0])

    def keepers(self):
        """Who is to keep what this node owns."""
        return [self.me] + [node for node in self.successors if node != self.me][: self.replicas - 1]

    def trimmed(self, nodes):
        """A successor list: up to the node itself, nobody twice, not too long."""
        kept = []
        for node in map(tuple, nodes):
            if node == self.me or node in kept:
                break
            kept.append(node)
            self.friends[node] = None
            self.friends.move_to_end(node)
        while len(self.friends) > FRIENDS:
            self.friends.popitem(last=False)
        return kept[: self.most_successors] or [self.me]

    def bury(self, node):
        """Forgets a node that is gone."""
        if self.predecessor == node:
            self.predecessor = None
        self.successors = [it for it in self.successors if it != node] or [self.me]
        self.fingers = {i: it for i, it in self.fingers.items() if it != node}

    # Messages.

    def send(self, where, body):
        if where == "kit" or self.socket is None:
            print(json.dumps({"src": self.name, "dest": where, "body": body}), flush=True)
        else:
            line = json.dumps({"src": self.me[1], "dest": where, "body": body})
            host, port = where.rsplit(":", 1)
            self.socket.sendto(line.encode(), (host, int(port)))

    async def call(self, node, kind, patience=1, /, **fields):
        """The answer of another node. Whoever is silent, or no member, counts as gone."""
        if node == self.me:
            return await getattr(self, "peer_" + kind)(**fields) or {}
        number = next(self.numbers)
        answer = self.waiting[number] = asyncio.get_running_loop().create_future()
        try:
            for _ in range(TRIES * patience):
                self.send(node[1], {"type": kind, "msg_id": number, **fields})
                done, _ = await asyncio.wait([answer], timeout=self.timeout / TRIES)
                if done:
                    return answer.result()
            raise Silent
        except (Silent, Refused):
            self.bury(node)
            raise Silent
        finally:
            del self.waiting[number]

    def receive(self, line):
        """A line from the kit or from another node."""
        try:
            envelope = json.loads(line)
            src, body = envelope["src"], envelope["body"]
            kind, number = body["type"], body.get("msg_id")
        except (ValueError, KeyError, TypeError, AttributeError):
            return print("no envelope:", line, file=sys.stderr)
        answer = self.waiting.get(body.get("in_reply_to"))
        if answer is not None and not answer.done():
            if kind == "error":
                answer.set_exception(Refused(body.get("code", 0), body.get("text", "")))
            else:
                answer.set_result(body)
        if number is None:
            return
        if src != "kit":
            if (src, number) in self.answered:
                known = self.answered[src, number]
                return self.send(src, known) if known else None
            self.answered[src, number] = None
            while len(self.answered) > 4096:
                self.answered.popitem(last=False)
        self.run(self.answer(src, kind, number, body))

    def run(self, work):
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)  # the loop itself does not keep it alive
        task.add_done_callback(self.tasks.discard)

    async def ask(self, kind, asker="kit", /, **fields):
        """Does what is asked, and gives the body of the answer."""
        handler = getattr(self, f"{asker}_{kind}", None)
        if handler is None:
            raise Refused(10, f"there is no operation {kind}")
        if not self.member and (asker == "peer" or kind in ("lookup", "put", "get", "delete")):
            raise Refused(11, "not a member of a ring")
        return await handler(**fields) or {}

    async def answer(self, src, kind, number, body):
        fields = {name: value for name, value in body.items() if name not in ("type", "msg_id")}
        try:
            reply = {"type": kind + "_ok", **(await self.ask(kind, "kit" if src == "kit" else "peer", **fields))}
        except Refused as error:
            reply = {"type": "error", "code": error.args[0], "text": error.args[1]}
        except (TypeError, ValueError, KeyError) as error:
            reply = {"type": "error", "code": 12, "text": f"malformed request: {error}"}
        reply["in_reply_to"] = number
        if src != "kit":
            self.answered[src, number] = reply
        self.send(src, reply)

    # Lookups: the node that is asked goes from node to node itself.

    async def peer_route(self, key, failed, last=False):
        """Who is next on the way to a key: the node itself when it is the owner. `last`: the asker has been told so."""
        failed = {tuple(node) for node in failed}
        successor = next((node for node in self.successors if node not in failed), self.me)
        known = self.predecessor is not None and self.predecessor not in failed
        if successor == self.me or (known and self.owns(key)) or (last and not known):
            return {"next": self.me}
        if last:
            return {"next": self.predecessor, "last": True}
        if self.within(self.me[0], key, successor[0]):
            return {"next": successor, "last": True}
        nodes = {*self.fingers.values(), *self.successors} - failed
        before = [node for node in nodes if self.inside(self.me[0], node[0], key)]
        return {"next": min(before, key=lambda node: (key - node[0]) % self.size, default=successor)}

    async def walk(self, key, start=None, failed=()):
        """The owner of a key, and every node on the way to it."""
        failed, path, last = set(failed), [start or self.me], False
        for _ in range(64):
            try:
                answer = await self.call(path[-1], "route", key=key, failed=list(failed), last=last)
            except Silent:
                failed.add(path.pop())
                last = False
                if not path:
                    raise
                continue
            following, last = tuple(answer["next"]), answer.get("last", False)
            if following == path[-1]:
                return following, path
            path.append(following)
        raise Silent

    async def persist(self, attempt, code):
        """Tries again for a while, because rings repair themselves."""
        end = time.monotonic() + 5 * (self.timeout + self.period)
        while True:
            try:
                return await attempt()
            except Silent:
                if time.monotonic() > end or not self.member:
                    raise Refused(code, "nobody who owns the key has answered")
                await asyncio.sleep(self.period / 2)

    async def at_owner(self, key, kind, **fields):
        async def attempt():
            owner, _ = await self.walk(key)
            answer = await self.call(owner, kind, 4, key=key, **fields)
            if answer.get("moved"):
                raise Silent
            return answer

        return await self.persist(attempt, 0)

    # Maintenance.

    async def maintain(self):
        steps = self.stabilize, self.check_predecessor, self.fix_fingers, self.tend_keys, self.find_friends
        while True:
            await asyncio.sleep(self.period * random.uniform(0.8, 1.2))
            if self.member:
                results = await asyncio.gather(*(step() for step in steps), return_exceptions=True)
                for result in results:
                    if isinstance(result, Exception) and not isinstance(result, (Silent, Refused)):
                        print("maintenance:", repr(result), file=sys.stderr)

    async def peer_neighbours(self):
        return {"me": self.me, "predecessor": self.predecessor, "successors": self.successors}

    async def stabilize(self):
        if self.successors[0] == self.me:
            # Alone, or everybody that it knew of is gone.
            others = {*self.fingers.values(), self.predecessor} - {self.me, None}
            if not others:
                return
            self.successors = [min(others, key=lambda node: (node[0] - self.me[0]) % self.size)]
        successor = self.successors[0]
        near = await self.call(successor, "neighbours")
        between = near["predecessor"] and tuple(near["predecessor"])
        if between and self.inside(self.me[0], between[0], successor[0]):
            try:
                near = await self.call(between, "neighbours")
                successor = between
            except Silent:
                pass
        if self.member:
            self.successors = self.trimmed([successor, *near["successors"]])
            await self.call(successor, "notify", node=self.me)

    async def peer_notify(self, node):
        self.run(self.adopt(tuple(node)))

    async def adopt(self, node):
        """Takes a nearer predecessor, once it has the keys that it will own."""
        async with self.adopting:
            before = self.predecessor
            if node != self.me and (before is None or self.inside(before[0], node[0], self.me[0])):
                try:
                    await self.hand_over(node, lambda key: not self.within(node[0], key, self.me[0]))
                except Silent:
                    return
                if self.member and self.predecessor in (before, None):
                    self.predecessor = node

    async def check_predecessor(self):
        if self.predecessor is not None:
            await self.call(self.predecessor, "neighbours")

    async def fix_fingers(self):
        start = self.next_finger
        point = (self.me[0] + (1 << start)) % self.size
        owner, _ = await self.walk(point)
        # It is also the finger of everything between there and itself.
        while start < self.bits and self.within(self.me[0], (self.me[0] + (1 << start)) % self.size, owner[0]):
            self.fingers[start] = owner
            start += 1
        self.next_finger = start % self.bits

    async def find_friends(self):
        """Asks a former neighbour who follows this node: so two rings become one after a partition."""
        lost = [node for node in self.friends if node not in self.successors]
        if lost and random.random() < 0.4:
            friend = random.choice(lost)
            await self.call(friend, "neighbours")
            owner, _ = await self.walk((self.me[0] + 1) % self.size, friend, [self.me])
            if self.member and self.inside(self.me[0], owner[0], self.successors[0][0]):
                self.successors = self.trimmed([owner, *self.successors])

    # Keys.

    async def offer(self, node, keys, lease=False):
        """Gives a node what it lacks of these keys: what it has been offered, and who is to keep it in its eyes."""
        offered, keepers = {key: self.store[key] for key in keys}, []
        for some in batches(list(offered), 1000):
            answer = await self.call(node, "offer", items=[[key, offered[key][0]] for key in some], lease=lease)
            keepers = [tuple(keeper) for keeper in answer["keepers"]]
            for few in batches(answer["missing"], BATCH):
                await self.call(node, "store", items=[[key, *offered[key]] for key in few])
        return offered, keepers

    async def hand_over(self, node, is_theirs):
        """Offers keys until none of them has changed meanwhile."""
        offered = None
        while offered is None or any(offered.get(key) != self.store[key] for key in self.store if is_theirs(key)):
            offered, _ = await self.offer(node, [key for key in self.store if is_theirs(key)])

    async def peer_offer(self, items, lease):
        missing = []
        for key, version in items:
            if lease:
                self.leased[key] = time.monotonic()
            if key not in self.store or self.store[key][0] < version:
                missing.append(key)
        return {"missing": missing, "keepers": self.keepers()}

    async def peer_store(self, items):
        for key, version, value in items:
            if key not in self.store or self.store[key][0] < version:
                self.store[key] = (version, value)
                self.leased.setdefault(key, time.monotonic())

    async def tend_keys(self):
        alone = self.successors[0] == self.me
        if alone or self.predecessor is None:
            return
        owned = [key for key in self.store if self.owns(key)]
        for node in self.keepers()[1:]:
            await self.offer(node, owned, lease=True)
        # Keys that belong to somebody else who does not ask for them any more.
        old = time.monotonic() - 3 * self.period - self.timeout
        strays = [key for key in self.store if not self.owns(key) and self.leased.get(key, 0) < old]
        if strays:
            owner, _ = await self.walk(strays[0])
            if owner != self.me:
                # Nobody is between a key and its owner, so everything there is the owner's.
                theirs = [key for key in strays if self.within(strays[0] - 1, key, owner[0])]
                offered, keepers = await self.offer(owner, theirs)
                for key in offered:
                    if self.me not in keepers and self.store.get(key) == offered[key] and not self.owns(key):
                        del self.store[key]

    async def peer_write(self, key, value):
        if not self.owns(key):
            return {"moved": True}
        # Clocks order what different owners write, as far as they agree; one owner's writes are in order anyway.
        version = max(int(time.time() * 1000), self.store[key][0] + 1 if key in self.store else 0)
        self.store[key] = (version, value)
        done = {self.me}
        while set(self.keepers()) - done:
            node = next(node for node in self.keepers() if node not in done)
            try:
                await self.call(node, "store", items=[[key, version, value]])
                done.add(node)
            except Silent:
                pass  # it is buried, and the next one takes its place

    async def peer_read(self, key):
        if not self.owns(key):
            return {"moved": True}
        if key not in self.store:
            # An owner of late may lack what those after it have.
            for node in self.keepers()[1:]:
                try:
                    await self.peer_store((await self.call(node, "copy", key=key))["items"])
                except Silent:
                    pass
        return {"value": self.store.get(key, (0, None))[1]}

    async def peer_copy(self, key):
        return {"items": [[key, *self.store[key]]] if key in self.store else []}

    async def peer_goodbye(self, node, predecessor, successors):
        node = tuple(node)
        if self.predecessor == node:
            self.predecessor = tuple(predecessor) if predecessor and tuple(predecessor) != self.me else None
        if node in self.successors:
            place = self.successors.index(node)
            self.successors = self.trimmed([*self.successors[:place], *successors])
        self.bury(node)
        self.friends.pop(node, None)

    # What the kit asks.

    async def kit_init(self, node_id, network, address, introducer, ring, **_):
        self.bits, self.size = ring["bits"], 1 << ring["bits"]
        self.most_successors, self.replicas = ring["successors"], ring["replicas"]
        self.period, self.timeout = ring["stabilize_ms"] / 1000, ring["timeout_ms"] / 1000
        self.name, self.introducer = node_id, introducer
        self.me = (ring["id"], node_id if network == "kit" else address)
        if network == "sockets":
            host, port = address.rsplit(":", 1)
            loop = asyncio.get_running_loop()
            self.socket, _ = await loop.create_datagram_endpoint(lambda: Datagrams(self), (host, int(port)))
        self.run(self.maintain())

    async def kit_join(self, introducer=None):
        introducer = introducer or self.introducer
        if self.member:
            return
        successors = [self.me]
        if introducer is not None:
            where = introducer["node_id"] if self.socket is None else introducer["address"]
            try:
                gate = tuple((await self.call((None, where), "neighbours"))["me"])
                owner, _ = await self.walk(self.me[0], gate, [self.me])
                if owner[0] == self.me[0]:
                    raise Refused(22, "somebody else has this identifier")
                successors = [owner, *(await self.call(owner, "neighbours"))["successors"]]
            except Silent:
                raise Refused(11, "the introducer does not answer")
        self.predecessor, self.fingers, self.next_finger = None, {}, 0
        self.store, self.leased = {}, {}
        self.successors, self.member = self.trimmed(successors), True
        self.run(self.stabilize_now())

    async def stabilize_now(self):
        try:
            await self.stabilize()
        except Silent:
            pass

    async def kit_leave(self):
        while self.member and self.successors[0] != self.me:
            try:
                await self.hand_over(self.successors[0], lambda key: True)
                break
            except Silent:
                pass  # the next one inherits
        self.member = False
        neighbours = {self.successors[0], self.predecessor} - {self.me, None}
        about = {"node": self.me, "predecessor": self.predecessor, "successors": self.successors}
        await asyncio.gather(*(self.call(it, "goodbye", **about) for it in neighbours), return_exceptions=True)
        self.predecessor, self.successors, self.fingers, self.store = None, [self.me], {}, {}

    async def kit_state(self):
        fingers = [(self.me[0] + (1 << i)) % self.size for i in range(self.bits)]
        return {
            "member": self.member,
            "id": self.me[0],
            "predecessor": self.predecessor and self.predecessor[0],
            "successors": [node[0] for node in self.successors] if self.member else [],
            "fingers": [{"start": s, "node": self.fingers.get(i, (None,))[0]} for i, s in enumerate(fingers)],
            "keys": sorted(key for key, (_, value) in self.store.items() if value is not None),
        }

    async def kit_lookup(self, key):
        owner, path = await self.persist(lambda: self.walk(key), 11)
        return {"owner": owner[0], "hops": len(path) - 1, "path": [node[0] for node in path]}

    async def kit_put(self, key, value):
        await self.at_owner(key, "write", value=value)

    async def kit_get(self, key):
        value = (await self.at_owner(key, "read"))["value"]
        if value is None:
            raise Refused(20, "no such key")
        return {"value": value}

    async def kit_delete(self, key):
        await self.at_owner(key, "write", value=None)


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, node):
        self.node = node

    def datagram_received(self, data, address):
        self.node.receive(data)


async def main():
    node = Node()
    lines = asyncio.StreamReader(limit=1 << 21)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        node.receive(line)


if __name__ == "__main__":
    asyncio.run(main())
