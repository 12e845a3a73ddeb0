"""`locust.contrib.oai`."""

from __future__ import annotations

import os
from typing import Any

from asking import ask, attributes, environment, own

from locust.contrib.oai import OpenAIClient, OpenAIUser


def questions(address: str) -> None:
    os.environ["OPENAI_BASE_URL"] = address

    user = OpenAIUser(environment())
    client = user.client
    ask("the client", lambda: [type(client) is OpenAIClient, type(client).__mro__[1].__name__, client.request_name])
    ask("the user", lambda: [own(OpenAIUser), attributes(client)])
    other = OpenAIClient(user.environment.events.request, user, max_retries=1, api_key="other", timeout=3)
    ask("arguments", lambda: [other.max_retries, other.api_key, other.timeout, str(other.base_url)])
    ask("a transport of one's own", lambda: OpenAIClient(None, user, http_client=None))
    ask("no user", lambda: OpenAIClient(None))
    ask("a response", lambda: client.responses.create(model="small", input="fruit?").output_text)
    chat = {"model": "small", "messages": [{"role": "user", "content": "fruit?"}]}
    ask("a chat", lambda: client.chat.completions.create(**chat).choices[0].message.content)

    def renamed() -> Any:
        with client.rename_request("fruit"):
            return client.responses.create(model="small", input="fruit?").output_text, client.request_name

    ask("under a name", renamed)
    ask("the name afterwards", lambda: client.request_name)
    ask("not found", lambda: client.responses.create(model="missing", input="fruit?") and None)

    def raises() -> None:
        with client.rename_request("fruit"):
            raise ValueError("out of fruit")

    ask("a block that raises", raises)
    ask("the name after that", lambda: client.request_name)

    class WithContext(OpenAIUser):
        def context(self) -> dict[str, Any]:
            return {"from": "the user"}

    other = WithContext(environment()).client
    ask("a user's context", lambda: other.responses.create(model="small", input="x").output_text)
    for model in ("no usage", "null", "a list", "no JSON", "a stream"):
        ask(
            f"answered with {model}",
            lambda model=model: client.post("/responses", cast_to=object, body={"model": model}),
        )
