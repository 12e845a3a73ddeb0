"""The locustfile in which the clients are asked many small questions, one after the other, each by a user of its own.

A probe is a few lines of a task. What it prints, what the `request` listeners were told while it ran, and what it
raised, becomes one line of JSON, and one test case.
"""

PREAMBLE = '''
import io, json, os, re, sys
from collections import namedtuple
import gevent, requests
from locust import *
from locust.contrib.fasthttp import FastHttpSession, FastResponse
from locust.exception import *
from requests.auth import HTTPBasicAuth

TLS = os.environ["TLS_TARGET"]
told = []

def kind(error):
    return None if error is None else [type(error).__name__, re.sub(r"object at 0x[0-9a-f]+", "object", str(error))]

@events.request.add_listener
def listen(request_type, name, response_time, response_length, exception, context, response, start_time, url, **others):
    told.append([
        request_type, name, response_time >= 0, response_length, kind(exception), context,
        getattr(response, "status_code", "no response"), isinstance(start_time, float), url, sorted(others),
    ])

class Any(CLASS):
    abstract = True
    host = os.environ["TARGET"]
    def context(self):
        return {"user": type(self).__name__}

def echoed(response):
    """What the server received, apart from headers that tell the two targets apart."""
    saw = response.json()
    headers = sorted([name.lower(), value] for name, value in saw["headers"] if name.lower() != "host")
    return [saw["method"], saw["path"], saw["query"], headers, saw["body"]]

def attempt(name, code):
    said = []
    def say(*words):
        said.extend(word if isinstance(word, (str, int, float, bool, list, dict, type(None))) else repr(word) for word in words)
    del told[:]
    user = type("Probing", (Any,), {})(U.current.environment)
    scope = {**globals(), "user": user, "client": user.client, "say": say, "raised": None}
    raised = None
    try:
        exec(code, scope)
    except Exception as error:
        raised = kind(error)
    print(json.dumps({"probe": name, "said": said, "told": list(told), "raised": raised}), flush=True)

class U(User):
    @task
    def probe(self):
        U.current = self
        for name, code in PROBES.items():
            with gevent.Timeout(10, False):
                attempt(name, code)
        self.environment.runner.quit()
'''


def locustfile(user_class: str, probes: dict[str, str]) -> str:
    return PREAMBLE.replace("CLASS", user_class) + f"\nPROBES = {probes!r}\n"
