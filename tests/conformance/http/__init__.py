"""The HTTP clients: some hundred small things a locustfile does with one, each done on Locust and here.

- `probe.py`: what a probe is; `probes/`: all of them, by area;
- `asking.py`: the locustfile that does them one after the other and prints what became of each;
- `servers.py`: small servers for what the target does not do (digest authentication, proxies);
- `differences.py`: which probes differ, and why;
- `test_http.py`: one run for each client and side, one test for each probe and client.
"""
