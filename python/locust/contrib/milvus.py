"""Users of the vector database Milvus. Needs pymilvus: `pip install 'gregaria[milvus]'`.

Importing this puts gRPC on gevent, for the whole process: else a call would hold up every user.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gevent.monkey
import grpc.experimental.gevent as grpc_gevent
from pymilvus import CollectionSchema, MilvusClient
from pymilvus.milvus_client import IndexParams

from .. import events
from ..user.users import User

if TYPE_CHECKING:
    from ..env import Environment

gevent.monkey.patch_all()
grpc_gevent.init_gevent()


class BaseClient(ABC):
    """What `MilvusUser` asks of its client. Operations give a dict with `success`, `response_time` (ms) and either
    `result` or `exception`."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""

    @abstractmethod
    def create_collection(self, schema: CollectionSchema, index_params: IndexParams, **kwargs: Any) -> None:
        """Make the collection, and its index."""

    @abstractmethod
    def insert(self, data: Any) -> dict[str, Any]:
        """Insert rows."""

    @abstractmethod
    def upsert(self, data: Any) -> dict[str, Any]:
        """Insert rows, or replace those of their keys."""

    @abstractmethod
    def search(
        self,
        data: Any,
        anns_field: str,
        limit: int,
        filter: str = "",
        search_params: dict[str, Any] | None = None,
        output_fields: list[str] | None = None,
        calculate_recall: bool = False,
        ground_truth: list[Any] | None = None,
    ) -> dict[str, Any]:
        """Find the rows nearest to vectors."""

    @abstractmethod
    def hybrid_search(
        self, reqs: Any, ranker: Any, limit: int, output_fields: list[str] | None = None
    ) -> dict[str, Any]:
        """Find rows by several searches, ranked together."""

    @abstractmethod
    def query(self, filter: str, output_fields: list[str] | None = None) -> dict[str, Any]:
        """Find rows by a filter."""

    @abstractmethod
    def delete(self, filter: str) -> dict[str, Any]:
        """Delete rows by a filter."""


class MilvusV2Client(BaseClient):
    """A collection, through `pymilvus.MilvusClient`. Operations raise nothing; what searches adds `empty` to its
    outcome, and nothing found is no success. Without `output_fields`, rows have their `id` alone."""

    def __init__(
        self, uri: str, collection_name: str, token: str = "root:Milvus", db_name: str = "default", timeout: int = 60
    ) -> None:
        self.uri = uri
        self.collection_name = collection_name
        self.token = token
        self.db_name = db_name
        self.timeout = timeout
        self.client = MilvusClient(uri=uri, token=token, db_name=db_name, timeout=timeout)

    def close(self) -> None:
        """Close the connection."""
        self.client.close()

    def create_collection(self, schema: CollectionSchema, index_params: IndexParams, **kwargs: Any) -> None:
        """Make the collection. Raises what pymilvus raises."""
        self.client.create_collection(
            collection_name=self.collection_name, schema=schema, index_params=index_params, **kwargs
        )

    def insert(self, data: Any) -> dict[str, Any]:
        """Write rows."""
        return _timed(lambda: self.client.insert(collection_name=self.collection_name, data=data))

    def upsert(self, data: Any) -> dict[str, Any]:
        """Write rows, over those that have the same keys."""
        return _timed(lambda: self.client.upsert(collection_name=self.collection_name, data=data))

    def search(
        self,
        data: Any,
        anns_field: str,
        limit: int,
        filter: str = "",
        search_params: dict[str, Any] | None = None,
        output_fields: list[str] | None = None,
        calculate_recall: bool = False,
        ground_truth: list[Any] | None = None,
    ) -> dict[str, Any]:
        """The rows nearest to each vector of `data`. With `calculate_recall` and a `ground_truth`, the ids that the
        first vector should find, the outcome has a `recall` between 0 and 1."""
        outcome = _searched(
            lambda: self.client.search(
                collection_name=self.collection_name,
                data=data,
                anns_field=anns_field,
                filter=filter,
                limit=limit,
                search_params=search_params,
                output_fields=output_fields or ["id"],
            ),
            lambda result: not (result and result[0]),
        )
        if calculate_recall and ground_truth is not None and outcome["success"]:
            outcome["recall"] = self.get_recall(outcome["result"], ground_truth, limit)
        return outcome

    def hybrid_search(
        self, reqs: Any, ranker: Any, limit: int, output_fields: list[str] | None = None
    ) -> dict[str, Any]:
        """The rows that several searches together find."""
        return _searched(
            lambda: self.client.hybrid_search(
                collection_name=self.collection_name,
                reqs=reqs,
                ranker=ranker,
                limit=limit,
                output_fields=output_fields or ["id"],
                timeout=self.timeout,
            ),
            lambda result: not (result and result[0]),
        )

    @staticmethod
    def get_recall(search_results: Any, ground_truth: list[Any], limit: int | None = None) -> float:
        """How many of the first `limit` ids of the truth were found, as a part of 1.

        Without a limit, as many of the truth count as were found. 0 where the truth is shorter than that, or where
        either is nothing that could be compared.
        """
        try:
            hits = search_results[0] if isinstance(search_results[0], list) else search_results
            limit = len(hits) if limit is None else limit
            if not isinstance(search_results, list) or len(ground_truth) < limit:
                return 0.0
            wanted = set(ground_truth[:limit])
            return len(wanted & {hit.get("id") for hit in hits}) / len(wanted)
        except (TypeError, AttributeError, LookupError, ZeroDivisionError):
            return 0.0

    def query(self, filter: str, output_fields: list[str] | None = None) -> dict[str, Any]:
        """The rows that fit a filter."""
        return _searched(
            lambda: self.client.query(
                collection_name=self.collection_name, filter=filter, output_fields=output_fields or ["id"]
            ),
            lambda result: not result,
        )

    def delete(self, filter: str) -> dict[str, Any]:
        """Delete the rows that fit a filter."""
        return _timed(lambda: self.client.delete(collection_name=self.collection_name, filter=filter))


def _timed(operation: Callable[[], Any]) -> dict[str, Any]:
    start = time.perf_counter()
    try:
        outcome = {"success": True, "result": operation()}
    except Exception as error:
        outcome = {"success": False, "exception": error}
    return {"response_time": (time.perf_counter() - start) * 1000, **outcome}


def _searched(operation: Callable[[], Any], empty: Callable[[Any], bool]) -> dict[str, Any]:
    outcome = _timed(operation)
    if outcome["success"]:
        outcome["empty"] = empty(outcome["result"])
        outcome["success"] = not outcome["empty"]
    return outcome


class MilvusUser(User):
    """A user of one collection. Each operation is counted as `milvus`, and returns what the client's method gives; a
    recall is counted as a row of its own, with percents for milliseconds."""

    abstract = True

    def __init__(
        self,
        environment: Environment,
        uri: str = "http://localhost:19530",
        token: str = "root:Milvus",
        collection_name: str = "test_collection",
        db_name: str = "default",
        timeout: int = 60,
        schema: CollectionSchema | None = None,
        index_params: IndexParams | None = None,
        **kwargs: Any,
    ) -> None:
        """With a `schema`, the collection is made, to which `index_params` and `kwargs` go. `timeout` is in seconds."""
        super().__init__(environment)
        if uri is None:
            raise ValueError("'uri' must be provided for MilvusUser")
        if collection_name is None:
            raise ValueError("'collection_name' must be provided for MilvusUser")
        self.client_type = "milvus"
        self.client = MilvusV2Client(
            uri=uri, token=token, collection_name=collection_name, db_name=db_name, timeout=timeout
        )
        if schema is not None:
            self.client.create_collection(schema=schema, index_params=index_params, **kwargs)

    @staticmethod
    def _fire_event(request_type: str, name: str, result: dict[str, Any]) -> None:
        events.request.fire(
            request_type=request_type,
            name=name,
            response_time=int(result["response_time"]),
            response_length=0,
            exception=result.get("exception"),
        )

    @staticmethod
    def _fire_recall_event(request_type: str, name: str, result: dict[str, Any]) -> None:
        events.request.fire(
            request_type=request_type,
            name=name,
            response_time=int(result["recall"] * 100),
            response_length=0,
            exception=result.get("exception"),
        )

    def _counted(self, name: str, result: dict[str, Any]) -> dict[str, Any]:
        self._fire_event(self.client_type, name, result)
        return result

    def insert(self, data: Any) -> dict[str, Any]:
        """Write rows."""
        return self._counted("insert", self.client.insert(data))

    def upsert(self, data: Any) -> dict[str, Any]:
        """Write rows, over those that have the same keys."""
        return self._counted("upsert", self.client.upsert(data))

    def search(
        self,
        data: Any,
        anns_field: str,
        limit: int,
        filter: str = "",
        search_params: dict[str, Any] | None = None,
        output_fields: list[str] | None = None,
        calculate_recall: bool = False,
        ground_truth: list[Any] | None = None,
    ) -> dict[str, Any]:
        """The rows nearest to each vector of `data`, and the recall if that is asked for and known."""
        outcome = self.client.search(
            data, anns_field, limit, filter, search_params, output_fields, calculate_recall, ground_truth
        )
        self._counted("search", outcome)
        if "recall" in outcome:
            self._fire_recall_event(self.client_type, "recall", outcome)
        return outcome

    def hybrid_search(
        self, reqs: Any, ranker: Any, limit: int, output_fields: list[str] | None = None
    ) -> dict[str, Any]:
        """The rows that several searches together find."""
        return self._counted("hybrid_search", self.client.hybrid_search(reqs, ranker, limit, output_fields))

    def query(self, filter: str, output_fields: list[str] | None = None) -> dict[str, Any]:
        """The rows that fit a filter."""
        return self._counted("query", self.client.query(filter, output_fields))

    def delete(self, filter: str) -> dict[str, Any]:
        """Delete the rows that fit a filter."""
        return self._counted("delete", self.client.delete(filter))

    def on_stop(self) -> None:
        """Close the connection."""
        self.client.close()
