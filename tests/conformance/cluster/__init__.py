"""Nodes of a cluster, Locust's and ours, asked the same over the wire.

Three kinds of areas stand in `cases/`: one worker before a master that a case scripts (`def case(worker)`), one master
before workers that it scripts (`def case(master)`), and whole fleets of real nodes (`def case(fleet)`). The first two are
asked of Locust and of ours and compared; a fleet is put together in every mixture of the two, and each has to do what
Locust alone did. `differences.py` names the cases that end otherwise here, and why.
"""
