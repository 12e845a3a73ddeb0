"""Users that query MongoDB. Needs pymongo: `pip install 'gregaria[mongodb]'`."""

from __future__ import annotations

import time
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from .. import events
from ..user.users import User


class MongoDBClient(MongoClient[dict[str, Any]]):
    """A `pymongo.MongoClient` for one database, whose `execute_query` is counted."""

    def __init__(self, conn_string: str, db_name: str) -> None:
        super().__init__(conn_string)
        self.db = self[db_name]

    def execute_query(self, collection_name: str, query: dict[str, Any]) -> None:
        """Find what `query` describes and fetch all of it; counted as `MONGODB`, `QUERY`. It is not handed out."""
        start = time.perf_counter()
        failure: dict[str, Any] = {}
        try:
            list(self.db[collection_name].find(query))
        except PyMongoError as error:
            failure = {"exception": error}
        response_time = int((time.perf_counter() - start) * 1000)
        events.request.fire(
            request_type="MONGODB", name="QUERY", response_time=response_time, response_length=0, **failure
        )


class MongoDBUser(User):
    """A user with a `MongoDBClient`, connected while he lives."""

    abstract = True

    conn_string: str
    """Where the server is: `mongodb://user:password@host`."""
    db_name: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.client = MongoDBClient(self.conn_string, self.db_name)

    def on_stop(self) -> None:
        """Close the connection."""
        self.client.close()
