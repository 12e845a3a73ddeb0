"""The Python contract: some hundred small things a locustfile or a program does with Locust, each done there and here.

To add a probe, write a function in `probes/AREA.py` (a new file is a new area) and decorate it with `@probe`, or with
`@probe.each(…)` to have one for each value. It imports what it needs from `locust` as a locustfile does, and gets by
the names of its parameters what `asking.py` lists: `say` prints into the comparison, `environment(UserClass, …)` makes
an environment of its own, `run(UserClass, …)` runs users until they have ended or `step(…)` was called often enough.
Compared are, besides: log lines, warnings, what the probe raised, what nobody caught, and of each environment the
`user_error` events, statistics and exceptions. Every probe starts with the same random seed, and hangs after 10 s.
A probe that asks for `run` is asked twice here: on the engine's task loop, and on Python's (`(overridden)`), which has
to give the same answer. All probes of an area share a process on each side: undo what you patch, with `patch`.
`pytest tests/conformance/contract -k "AREA:"` asks one area. Known differences stand in `differences.py`.
"""
