"""Print what a dispatcher does in many random situations, one JSON line each. Runs on Locust and on gregaria alike.

Usage: `python dispatch_sequences.py SEED`. Equal seeds give equal situations, so the outputs must be equal too.
"""

import itertools
import json
import random
import sys

import locust.dispatch

locust.dispatch.gevent.sleep = lambda *_: None  # type: ignore[assignment]


class Node:
    def __init__(self, node_id: str) -> None:
        self.id = node_id


def main(seed: int) -> None:
    chance = random.Random(seed)
    ids = itertools.count(100)
    for _ in range(200):
        changing = chance.random() < 0.4
        names = "ABCDEFG"[: chance.randint(1, 6)]
        weights = [chance.choice([1, 2, 3, 5, 0.5, 0.1, 7]) for _ in names]
        # Changing the classes while some have a fixed count makes Locust loop for ever.
        fixed = [0 if changing else chance.choice([0, 0, 0, 0, 1, 2, 5]) for _ in names]
        classes = [
            type(name, (), {"weight": weight, "fixed_count": count})
            for name, weight, count in zip(names, weights, fixed, strict=True)
        ]
        nodes = [Node(f"h{chance.randint(1, 3)}_{i}") for i in range(chance.randint(1, 5))]
        dispatcher = locust.dispatch.UsersDispatcher(worker_nodes=list(nodes), user_classes=list(classes))
        dispatches = []
        for _ in range(chance.randint(1, 6)):
            target, rate = chance.randint(0, 40), chance.choice([0.5, 1, 2.4, 7, 100])
            chosen = (
                chance.sample(classes, chance.randint(1, len(classes))) if changing and chance.random() < 0.3 else None
            )
            event, when = chance.choice(["none", "none", "add", "remove"]), chance.randint(0, 3)
            dispatcher.new_dispatch(target_user_count=target, spawn_rate=rate, user_classes=chosen)
            steps = []
            for i, step in enumerate(dispatcher):
                steps.append({node: {name: n for name, n in users.items() if n} for node, users in step.items()})
                if i == when and event == "add":
                    dispatcher.add_worker(Node(f"h{chance.randint(1, 3)}_x{next(ids)}"))
                elif i == when and event == "remove" and len(dispatcher._worker_nodes) > 1:
                    dispatcher.remove_worker(dispatcher._worker_nodes[0])
            dispatches.append([target, rate, event, when, dispatcher.get_current_user_count(), steps])
        described = [[c.__name__, c.weight, c.fixed_count] for c in classes]
        print(json.dumps([described, [node.id for node in nodes], dispatches], sort_keys=True))


main(int(sys.argv[1]))
