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


def parameters(client: str, groups: dict[str, dict[str, str]]) -> dict[str, str]:
    return {f"{client} {area}: {name}": code for area, group in groups.items() for name, code in group.items()}


SENDING = {
    "get": "say(echoed(client.get('/echo')))",
    "post with json": "say(echoed(client.post('/echo', json={'b': [1, None, 'é'], 'a': {'x': True}})))",
    "post with a list as json": "say(echoed(client.post('/echo', json=[])))",
    "post with json null": "say(echoed(client.post('/echo', json=None)))",
    "post with a form": "say(echoed(client.post('/echo', data={'a': 'x y', 'b': ['1', '2'], 'c': 'ü&='})))",
    "post with pairs": "say(echoed(client.post('/echo', data=[('a', '1'), ('a', '2')])))",
    "post with text": "say(echoed(client.post('/echo', data='grün')))",
    "post with bytes": "say(echoed(client.post('/echo', data=b'bytes', headers={'Content-Type': 'x/y'})))",
    "post with json text": "say(echoed(client.post('/echo', data=json.dumps({'a': 1}), headers={'Content-Type': 'application/json'})))",
    "post with a file object": "say(echoed(client.post('/echo', data=io.BytesIO(b'from a file'))))",
    "post with a generator": "say(echoed(client.post('/echo', data=(part for part in [b'one', b'two']))))",
    "post with nothing": "say(echoed(client.post('/echo')))",
    "positional data and json": "say(echoed(client.post('/echo', {'a': 1}))); say(echoed(client.post('/echo', None, {'a': 1})))",
    "data beats json": "say(echoed(client.post('/echo', data={'a': 1}, json={'b': 2})))",
    "put": "say(echoed(client.put('/echo', data={'a': 1})))",
    "patch": "say(echoed(client.patch('/echo', json={'a': 1})))",
    "delete": "say(echoed(client.delete('/echo', json={'a': 1})))",
    "options": "say(echoed(client.options('/echo')))",
    "head": "r = client.head('/echo'); say(r.status_code, r.text, len(r.content))",
    "request": "say(echoed(client.request('REPORT', '/echo', data=b'x')))",
    "request in lower case": "say(echoed(client.request('get', '/echo')))",
    "a whole url": "say(echoed(client.get(user.host + '/echo?q=1')))",
    "url as keyword": "say(echoed(client.get(url='/echo')))",
    "params": "say(echoed(client.get('/echo', params={'a': 'x y', 'b': ['1', 2], 'none': None, 'ü': 'é/?'})))",
    "params after a query": "say(echoed(client.get('/echo?z=1', params={'a': 1})))",
    "params as text": "say(echoed(client.get('/echo', params='a=1&b=2')))",
    "params as pairs": "say(echoed(client.get('/echo', params=[('a', 1), ('a', 2)])))",
    "a path to be quoted": "say(echoed(client.get('/echo?q=a b&ü=%20%zz#fragment')))",
    "path with dots": "say(client.get('/a/../echo').status_code, client.get('/./json').status_code)",
    "headers": "say(echoed(client.get('/echo', headers={'X-One': '1', 'accept': 'x/y', 'User-Agent': 'me'})))",
    "header none removes it": "say(echoed(client.get('/echo', headers={'Accept': None})))",
    "headers of the session": "client.headers.update({'Authorization': 'Bearer x'}); client.headers['X-A'] = 'a'; say(echoed(client.get('/echo', headers={'X-A': 'b'})), echoed(client.get('/echo')))",
    "headers of the session replaced": "client.headers = {'X-Only': 'this'}; say(echoed(client.get('/echo')))",
    "cookies": "say(echoed(client.get('/echo', cookies={'a': '1', 'b': '2'})), echoed(client.get('/echo')))",
    "cookies of the session": "client.cookies.set('a', '1'); say(echoed(client.get('/echo', cookies={'b': '2'})), dict(client.cookies))",
    "basic auth": "say(client.get('/basic-auth/u/p', auth=('u', 'p')).status_code, echoed(client.get('/echo', auth=HTTPBasicAuth('ü', 'p'))))",
    "basic auth of the session": "client.auth = ('u', 'p'); say(client.get('/basic-auth/u/p').status_code)",
    "basic auth in the host": "user = type('V', (Any,), {'host': user.host.replace('//', '//u:p@')})(user.environment); say(user.client.base_url, user.client.get('/basic-auth/u/p').status_code, echoed(user.client.get('/echo')))",
    "two requests, one connection": "say(client.get('/echo').json()['connection'] == client.get('/echo').json()['connection'])",
    "two users, two connections": "say(client.get('/echo').json()['connection'] == type(user)(user.environment).client.get('/echo').json()['connection'])",
    "host with a path": "user = type('V', (Any,), {'host': user.host + '/status'})(user.environment); say(user.client.get('/201').status_code)",
    "another session": "other = type(client)(user.host, request_event=user.environment.events.request, user=user); say(echoed(other.get('/echo')))",
}

RECEIVING = {
    "text, content, json": "r = client.get('/json'); say(r.status_code, r.text, len(r.content), r.json(), r.ok, bool(r), r.reason, r.encoding, r.apparent_encoding is not None)",
    "headers": "r = client.get('/headers?X-Thing=a&x-other=b'); say(r.headers['x-thing'], r.headers.get('X-OTHER'), r.headers.get('none'), 'X-Thing' in r.headers, sorted(k for k in r.headers if k.lower().startswith('x-')))",
    "url": "r = client.get('/json?a=1', name='shown'); say(r.url, r.request.method, r.request.url, r.request.path_url)",
    "elapsed": "r = client.get('/delay?ms=30'); say(0.03 <= r.elapsed.total_seconds() < 0.3, r.elapsed.total_seconds() * 1000 <= r.request_meta['response_time'] + 20)",
    "request_meta": "r = client.get('/json', name='n'); say(sorted(r.request_meta), r.request_meta['name'], r.request_meta['request_type'], r.request_meta['response_length'], r.request_meta['exception'], r.request_meta['url'])",
    "is a requests response": "r = client.get('/json'); say(isinstance(r, requests.Response), isinstance(client, requests.Session), type(r).__name__)",
    "no content": "r = client.get('/no-content'); say(r.status_code, r.text, r.content == b'')",
    "not modified": "r = client.get('/not-modified'); say(r.status_code, r.text)",
    "not json": "client.get('/bytes/3').json()",
    "not json, the class": "\ntry: client.get('/bytes/3').json()\nexcept json.JSONDecodeError as e: say('JSONDecodeError', isinstance(e, requests.RequestException), isinstance(e, ValueError))",
    "bytes": "r = client.get('/bytes/100000'); say(len(r.content), len(r.text))",
    "chunked": "r = client.get('/chunked/5000?chunk=100'); say(len(r.content), r.headers.get('transfer-encoding'))",
    "until close": "r = client.get('/to-close/700'); say(len(r.content)); say(client.get('/json').status_code)",
    "gzip": "r = client.get('/encoded/gzip'); say(r.text, r.headers.get('content-encoding'))",
    "deflate": "r = client.get('/encoded/deflate'); say(r.text)",
    "deflate-raw": "r = client.get('/encoded/deflate-raw'); say(r.text)",
    "br": "r = client.get('/encoded/br'); say(r.text)",
    "identity": "r = client.get('/encoded/identity'); say(r.text)",
    "unknown encoding": "r = client.get('/encoded/unknown'); say(r.text)",
    "gzip-corrupt": "r = client.get('/encoded/gzip-corrupt'); say(r.status_code, len(r.content))",
    "iter_lines": "say([line.decode() for line in client.get('/json').iter_lines()], b''.join(client.get('/bytes/50').iter_content(7)) == client.get('/bytes/50').content)",
    "set cookies": "r = client.get('/cookies/set?a=1&b=2'); say(r.cookies.get('a'), dict(client.cookies), client.get('/cookies').json(), echoed(client.get('/echo'))); client.get('/cookies/delete?a'); say(dict(client.cookies))",
    "slow drip": "say(len(client.get('/drip?bytes=5&ms=10').content))",
    "informational": "say(client.get('/informational').status_code)",
    "as a context manager": "\nwith client.get('/json') as r: say(r.status_code)",
    "tls, unverified": "say(client.get(TLS + '/json', verify=False).status_code)",
    "tls, unverified session": "client.verify = False; say(client.get(TLS + '/json').status_code)",
    "redirect": "r = client.get('/redirect/3'); say(r.status_code, r.url, [(h.status_code, h.url) for h in r.history])",
    "redirect, absolute": "r = client.get('/redirect/2?absolute=1'); say(r.status_code, r.url)",
    "redirect not followed": "r = client.get('/redirect/1', allow_redirects=False); say(r.status_code, r.headers['location'], r.is_redirect, r.history)",
    "redirect after post, 302": "r = client.post('/redirect-to?url=/echo', data={'a': 1}); say(echoed(r), r.url)",
    "redirect after post, 303": "r = client.post('/redirect-to?url=/echo&status=303', json={'a': 1}); say(echoed(r))",
    "redirect after post, 307": "r = client.post('/redirect-to?url=/echo&status=307', json={'a': 1}); say(echoed(r))",
    "redirect after post, 308": "r = client.put('/redirect-to?url=/echo&status=308', data='x'); say(echoed(r))",
    "redirect of head": "r = client.head('/redirect/1'); say(r.status_code)",
    "redirect to another host": "r = client.get('/redirect-to?url=' + user.host.replace('127.0.0.1', 'localhost') + '/echo', headers={'Authorization': 'Bearer x'}, auth=None); say(echoed(r))",
    "redirect with a name": "r = client.get('/redirect/2', name='hops'); say(r.url, r.status_code)",
    "redirect that sets cookies": "r = client.get('/cookies/set?a=1'); say(dict(client.cookies)); r = client.get('/redirect-to?url=/cookies'); say(r.json())",
    "too many redirects": "r = client.get('/redirect/40'); say(r.status_code)",
    "redirect to nowhere": "r = client.get('/redirect-to?url=http://127.0.0.1:1/'); say(r.status_code)",
}

JUDGING = {
    **{
        f"status {status}": f"r = client.get('/status/{status}'); say(r.status_code, r.ok)"
        for status in (201, 399, 400, 404, 500, 599)
    },
    "raise_for_status": "client.get('/status/404').raise_for_status()",
    "raise_for_status of a name": "client.get('/status/503', name='n').raise_for_status()",
    "name": "r = client.get('/json?a=1', name='/json?a=[]'); say(r.url)",
    "name, failing": "r = client.get('/status/500?a=1', name='/status'); say(r.url)",
    "name none and empty": "client.get('/json', name=None); client.get('/json', name='')",
    "request_name": "client.request_name = 'all of it'; client.get('/json'); client.post('/status/400'); client.request_name = None; client.get('/json')",
    "rename_request": "\nwith client.rename_request('renamed'):\n    client.get('/json'); client.get('/status/404', name='n')\nclient.get('/json')",
    "context": "client.get('/json', context={'more': 1}); client.get('/json', context={'user': 'mine'})",
    "caught, untouched": "\nwith client.get('/json', catch_response=True) as r: say(r.status_code, type(r).__name__)",
    "caught, untouched, failing": "\nwith client.get('/status/500', catch_response=True) as r: say(r.status_code)",
    "caught, success": "\nwith client.get('/status/404', catch_response=True) as r: r.success()",
    "caught, failure": "\nwith client.get('/json', catch_response=True) as r: r.failure('not what I wanted')",
    "caught, failure with an exception": "\nwith client.get('/json', catch_response=True) as r: r.failure(ValueError('wrong'))",
    "caught, failure with something else": "\nwith client.get('/json', catch_response=True) as r: r.failure({'a': 1})\nwith client.get('/json', catch_response=True) as r: r.failure(42)",
    "caught, failure with nothing": "\nwith client.get('/json', catch_response=True) as r: r.failure('')",
    "caught, failure then success": "\nwith client.get('/json', catch_response=True) as r: r.failure('no'); r.success()",
    "caught, success then failure": "\nwith client.get('/json', catch_response=True) as r: r.success(); r.failure('no')",
    "caught, ResponseError": "\nwith client.get('/json', catch_response=True) as r: raise ResponseError('raised')",
    "caught, CatchResponseError": "\nwith client.get('/json', catch_response=True) as r: raise CatchResponseError('raised')",
    "caught, another exception": "\nwith client.get('/json', catch_response=True) as r: raise KeyError('raised')",
    "caught, another exception after failure": "\nwith client.get('/json', catch_response=True) as r: r.failure('no'); raise KeyError('raised')",
    "caught, RescheduleTask after failure": "\nwith client.get('/json', catch_response=True) as r: r.failure('no'); raise RescheduleTask()",
    "caught, StopUser": "\nwith client.get('/json', catch_response=True) as r: raise StopUser()",
    "caught, return": "\ndef f():\n    with client.get('/json', catch_response=True) as r:\n        return r.status_code\nsay(f())",
    "caught, raise_for_status": "\nwith client.get('/status/500', catch_response=True) as r: r.raise_for_status()",
    "caught, assert": "\nwith client.get('/json', catch_response=True) as r: assert r.status_code == 201, 'not 201'",
    "caught, without with": "r = client.get('/json', catch_response=True); r.success(); say(type(r).__name__); r = client.get('/status/500', catch_response=True); r.failure('x')",
    "caught, renamed inside": "\nwith client.get('/json', catch_response=True) as r: r.request_meta['name'] = 'inside'",
    "caught, own response time": "\nwith client.get('/json', catch_response=True) as r: r.request_meta['response_time'] = 5; r.request_meta['response_length'] = 77",
    "caught, own context": "\nwith client.get('/json', catch_response=True, context={'a': 1}) as r: r.request_meta['context']['b'] = 2",
    "caught, name": "\nwith client.post('/json', name='n', catch_response=True, json={}) as r: r.failure('told')",
    "caught, two at once": "\nwith client.get('/json', catch_response=True) as a, client.get('/status/404', catch_response=True) as b: a.failure('a'); b.success()",
    "caught, refused": "\nwith client.get('http://127.0.0.1:1/', catch_response=True) as r: say(r.status_code, r.text, r.content, r.error is not None); r.failure('gone')",
    "caught, refused, success": "\nwith client.get('http://127.0.0.1:1/', catch_response=True) as r: r.success()",
    "caught, refused, untouched": "\nwith client.get('http://127.0.0.1:1/', catch_response=True) as r: say(r.status_code)",
    "caught false": "\nwith client.get('/json', catch_response=False) as r: say(r.status_code)",
}

BREAKING = {
    "refused": "r = client.get('http://127.0.0.1:1/x'); say(r.status_code, r.text, r.content, r.ok if r.status_code else None, r.url, type(r).__name__)",
    "refused, raise_for_status": "client.get('http://127.0.0.1:1/x').raise_for_status()",
    "refused, json": "client.get('http://127.0.0.1:1/x').json()",
    "unresolvable": "r = client.get('http://nothing.invalid/x'); say(r.status_code)",
    "closed without an answer": "r = client.get('/close'); say(r.status_code)",
    "reset": "r = client.get('/reset'); say(r.status_code)",
    "closed in the body": "r = client.get('/close-mid-body'); say(r.status_code)",
    "reset in the body": "r = client.get('/reset-mid-body'); say(r.status_code)",
    "bad chunk": "r = client.get('/bad-chunk'); say(r.status_code)",
    "close after": "say(client.get('/close-after').status_code, client.get('/json').status_code)",
    "timeout": "r = client.get('/delay?ms=3000', timeout=0.1); say(r.status_code)",
    "timeout as a pair": "r = client.get('/delay?ms=3000', timeout=(1, 0.1)); say(r.status_code)",
    "timeout long enough": "r = client.get('/delay?ms=20', timeout=5); say(r.status_code)",
    "timeout none": "r = client.get('/delay?ms=20', timeout=None); say(r.status_code)",
    "timeout in the body": "r = client.get('/drip?bytes=10&ms=400', timeout=0.1); say(r.status_code)",
    "tls, verified": "r = client.get(TLS + '/json'); say(r.status_code)",
    "plain http to tls": "r = client.get(TLS.replace('https', 'http') + '/json'); say(r.status_code)",
    "tls to plain http": "r = client.get(user.host.replace('http', 'https') + '/json'); say(r.status_code)",
    "missing schema": "client.get('ftp://127.0.0.1/x')",
    "invalid url": "client.get('http://')",
    "bad port": "client.get('http://127.0.0.1:99999/')",
    "unknown argument": "client.get('/json', nonsense=1)",
    "header that is no text": "client.get('/json', headers={'X': 1})",
    "header with a newline": "client.get('/json', headers={'X': 'a\\nb'})",
    "json that cannot be": "client.post('/json', json={'a': object()})",
    "after a failure the client goes on": "client.get('/reset'); client.get('http://127.0.0.1:1/'); say(client.get('/json').status_code)",
}

HTTP_ONLY = {
    "is a requests response": RECEIVING.pop("is a requests response"),
    "not json, the class": RECEIVING.pop("not json, the class"),
    "iter_lines": RECEIVING.pop("iter_lines"),
    # `FastHttpUser` here takes more than Locust's, which raises.
    "post with pairs": SENDING.pop("post with pairs"),
    "basic auth": SENDING.pop("basic auth"),
    "elapsed": RECEIVING.pop("elapsed"),
    "request_meta": RECEIVING.pop("request_meta"),
    "auth object": "say(echoed(client.get('/echo', auth=HTTPBasicAuth('u', 'p'))))",
    "prepared request": "say(isinstance(client.get('/json').request, requests.PreparedRequest))",
    "user agent and encodings removed": "say(echoed(client.get('/echo', headers={'User-Agent': None, 'Accept-Encoding': None})))",
    "params of the session": "client.params = {'a': 1}; say(echoed(client.get('/echo?b=2', params={'c': 3})))",
    "max_redirects of the session": "client.max_redirects = 1; say(client.get('/redirect/2').status_code)",
}

FAST_ONLY = {
    "the class": "r = client.get('/json'); say(type(r).__name__, type(client).__name__, isinstance(client, FastHttpSession))",
    "default headers": "user = type('V', (Any,), {'default_headers': {'X-Mine': '1'}})(user.environment); say(echoed(user.client.get('/echo', headers={'X-Other': '2'})))",
    "network timeout": "user = type('V', (Any,), {'network_timeout': 0.1})(user.environment); say(user.client.get('/delay?ms=3000').status_code)",
    "connection timeout": "user = type('V', (Any,), {'connection_timeout': 0.5})(user.environment); say(user.client.get('/json').status_code)",
    "max redirects": "user = type('V', (Any,), {'max_redirects': 1})(user.environment); say(user.client.get('/redirect/3').status_code)",
    "secure": "user = type('V', (Any,), {'insecure': False})(user.environment); say(user.client.get(TLS + '/json').status_code)",
    "unknown arguments become query": "say(echoed(client.get('/echo', nonsense=1)))",
    "unknown arguments become a form": "say(echoed(client.post('/echo', a='b')))",
    "auth pair": "say(echoed(client.get('/echo', auth=('u', 'p'))))",
    "str of a failed one": "r = client.get('/status/404'); say(str(r.error), r.ok, r.status_code)",
}

BOTH = {"sending": SENDING, "receiving": RECEIVING, "judging": JUDGING, "breaking": BREAKING}
PROBES = {
    **parameters("HttpUser", {**BOTH, "only": HTTP_ONLY}),
    **parameters("FastHttpUser", {**BOTH, "only": FAST_ONLY}),
}

OTHER_WORDS = "on purpose: what is wrong with a response or a certificate is said in words of our own"
STREAMED = "not there yet: a file or a generator as `data`"
CORRUPT = "a corrupt body's error is that of the second call of the decoder, not of the one that found it"

DIFFERENT: dict[str, str] = {
    "HttpUser sending: post with a generator": STREAMED,
    "HttpUser receiving: gzip-corrupt": CORRUPT,
    "HttpUser receiving: informational": "on purpose: Locust takes a 103 for the response itself",
    "HttpUser breaking: bad chunk": OTHER_WORDS,
    "HttpUser breaking: tls, verified": OTHER_WORDS,
    "HttpUser breaking: plain http to tls": OTHER_WORDS,
    "HttpUser breaking: tls to plain http": OTHER_WORDS,
    "FastHttpUser sending: post with a file object": STREAMED,
    "FastHttpUser sending: post with a generator": STREAMED,
    "FastHttpUser receiving: unknown encoding": "on purpose: the body is given as it is, where Locust raises",
    "FastHttpUser receiving: gzip-corrupt": CORRUPT,
    "FastHttpUser receiving: redirect": "on purpose: the history has the URL of each hop, where Locust has the last one in all",
    "FastHttpUser breaking: closed in the body": "the status is 0 when a body breaks off; Locust keeps the status that came",
    "FastHttpUser breaking: reset in the body": "the status is 0 when a body breaks off; Locust keeps the status that came",
    "FastHttpUser breaking: bad chunk": OTHER_WORDS,
    "FastHttpUser breaking: plain http to tls": OTHER_WORDS,
    "FastHttpUser breaking: tls to plain http": OTHER_WORDS,
    "FastHttpUser only: secure": OTHER_WORDS,
}
"""Where we differ, and why: `on purpose`, `not there yet`, or a defect."""


def locustfile(user_class: str) -> str:
    probes = {name: code for name, code in PROBES.items() if name.startswith(user_class)}
    return PREAMBLE.replace("CLASS", user_class) + f"\nPROBES = {probes!r}\n"
