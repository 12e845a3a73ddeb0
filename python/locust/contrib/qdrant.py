"""Users of the vector database Qdrant. Needs qdrant-client: `pip install 'gregaria[qdrant]'`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qdrant_client import QdrantClient

from .. import events
from ..user.users import User

if TYPE_CHECKING:
    from qdrant_client.models import VectorParams

    from ..env import Environment


class QdrantLocustClient:
    """A collection. Its methods raise nothing: each gives a dict with `success`, `response_time` (ms) and either
    `result` or `exception`; what searches adds `empty`, and nothing found is no success."""

    def __init__(
        self, url: str, collection_name: str, api_key: str | None = None, timeout: int = 60, **kwargs: Any
    ) -> None:
        self.url = url
        self.collection_name = collection_name
        self.api_key = api_key
        self.timeout = timeout
        self.client = QdrantClient(url=url, api_key=api_key, timeout=timeout, **kwargs)

    def close(self) -> None:
        """Close the connection."""
        self.client.close()

    def create_collection(self, vectors_config: VectorParams, **kwargs: Any) -> None:
        """Make the collection, unless it is there. Raises what qdrant-client raises."""
        if not self.client.collection_exists(collection_name=self.collection_name):
            self.client.create_collection(collection_name=self.collection_name, vectors_config=vectors_config, **kwargs)

    def upsert(self, points: Any) -> dict[str, Any]:
        """Write points, over those that have the same ids."""
        return _timed(lambda: {"result": self.client.upsert(collection_name=self.collection_name, points=points)})

    def search(
        self,
        query: Any,
        limit: int = 10,
        query_filter: Any = None,
        search_params: Any = None,
        with_payload: bool = True,
    ) -> dict[str, Any]:
        """The points nearest to a vector."""

        def found() -> dict[str, Any]:
            result = self.client.query_points(
                collection_name=self.collection_name,
                query=query,
                limit=limit,
                query_filter=query_filter,
                search_params=search_params,
                with_payload=with_payload,
            )
            return {"success": bool(result.points), "empty": not result.points, "result": result}

        return _timed(found)

    def scroll(self, scroll_filter: Any = None, limit: int = 10, with_payload: bool = True) -> dict[str, Any]:
        """The first points that fit a filter, and where the next ones begin (`next_offset`)."""

        def found() -> dict[str, Any]:
            result, offset = self.client.scroll(
                collection_name=self.collection_name,
                scroll_filter=scroll_filter,
                limit=limit,
                with_payload=with_payload,
            )
            return {"success": bool(result), "empty": not result, "result": result, "next_offset": offset}

        return _timed(found)

    def delete(self, points_selector: Any) -> dict[str, Any]:
        """Delete the points that are selected."""
        return _timed(
            lambda: {
                "result": self.client.delete(collection_name=self.collection_name, points_selector=points_selector)
            }
        )


def _timed(operation: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    start = time.perf_counter()
    outcome: dict[str, Any] = {"success": True}
    try:
        outcome |= operation()
    except Exception as error:
        outcome = {"success": False, "exception": error}
    return {"response_time": (time.perf_counter() - start) * 1000, **outcome}


class QdrantUser(User):
    """A user of one collection. Each operation is counted as `qdrant`, and returns what the client's method gives."""

    abstract = True

    url: str = "http://localhost:6333"
    api_key: str | None = None
    collection_name: str | None = None
    """Has to be set."""
    timeout: int = 60
    """Seconds."""
    vectors_config: VectorParams | None = None
    """With it, a collection that is not there is made."""
    client_kwargs: dict[str, Any] | None = None
    """More for `QdrantClient`."""
    collection_kwargs: dict[str, Any] | None = None
    """More for `create_collection`."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        if self.collection_name is None:
            raise ValueError("'collection_name' must be provided for QdrantUser")
        self.client_type = "qdrant"
        self.client = QdrantLocustClient(
            url=self.url,
            collection_name=self.collection_name,
            api_key=self.api_key,
            timeout=self.timeout,
            **(self.client_kwargs or {}),
        )
        if self.vectors_config is not None:
            self.client.create_collection(self.vectors_config, **(self.collection_kwargs or {}))

    @staticmethod
    def _fire_event(request_type: str, name: str, result: dict[str, Any]) -> None:
        events.request.fire(
            request_type=request_type,
            name=name,
            response_time=int(result["response_time"]),
            response_length=0,
            exception=result.get("exception"),
        )

    def _counted(self, name: str, result: dict[str, Any]) -> dict[str, Any]:
        self._fire_event(self.client_type, name, result)
        return result

    def upsert(self, points: Any) -> dict[str, Any]:
        """Write points, over those that have the same ids."""
        return self._counted("upsert", self.client.upsert(points))

    def search(
        self,
        query: Any,
        limit: int = 10,
        query_filter: Any = None,
        search_params: Any = None,
        with_payload: bool = True,
    ) -> dict[str, Any]:
        """The points nearest to a vector."""
        return self._counted("search", self.client.search(query, limit, query_filter, search_params, with_payload))

    def scroll(self, scroll_filter: Any = None, limit: int = 10, with_payload: bool = True) -> dict[str, Any]:
        """The first points that fit a filter."""
        return self._counted("scroll", self.client.scroll(scroll_filter, limit, with_payload))

    def delete(self, points_selector: Any) -> dict[str, Any]:
        """Delete the points that are selected."""
        return self._counted("delete", self.client.delete(points_selector))

    def on_stop(self) -> None:
        """Close the connection."""
        self.client.close()
