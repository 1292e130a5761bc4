"""Results of tasks that are kept between runs: typed JSON, which is read back as the declared type and nothing else.

A result record of Prefect names what reads it (its serializer, a JSON library, the class of each object), so whoever
can write result storage can have code run, with the serializer ``json`` too. Here the reader decides
(docs/decisions/0024-results-are-data.md).
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, ClassVar, Generic, TypeVar

from prefect.filesystems import WritableFileSystem
from prefect.results import ResultRecordMetadata, get_result_store  # type: ignore[attr-defined]  # not in its __all__
from prefect.serializers import Serializer
from pydantic import BaseModel, ConfigDict, Field

from hnintel.ingest.articles import ArticleReading
from hnintel.ingest.scraping import Scraped

T = TypeVar("T")


class _Whole(BaseModel, Generic[T]):
    """What is written: the result, and which form it is in."""

    model_config = ConfigDict(extra="forbid")

    form: str
    result: T


class TypedJSON(Serializer):
    """JSON of one declared type; a subclass names the type."""

    type: str = Field("hn-intelligence", frozen=True)
    whole: ClassVar[Any]  # of _Whole, for the type

    def dumps(self, obj: Any) -> bytes:
        """The JSON of *obj*; of an exception only its name, which no reader takes for a result.

        Raises:
            pydantic_core.PydanticSerializationError: *obj* is not of the declared type.
        """
        if isinstance(obj, BaseException):
            return json.dumps({"error": type(obj).__name__}).encode()
        whole = self.whole.model_construct(form=self.type, result=obj)
        written: str = whole.model_dump_json(warnings="error")
        return written.encode()

    def loads(self, blob: bytes) -> Any:
        """The value that *blob* holds.

        Raises:
            ValueError: it is not JSON of the declared type.
        """
        whole = self.whole.model_validate_json(blob, strict=True)
        if whole.form != self.type:
            raise ValueError(f"a result in the form {whole.form[:40]!r}, not {self.type!r}")
        return whole.result


class ScrapedJSON(TypedJSON):
    """A chunk of items with their comments."""

    type: str = Field("hn-intelligence/scraped", frozen=True)
    whole: ClassVar[Any] = _Whole[Scraped]


class ArticlesJSON(TypedJSON):
    """A chunk of articles."""

    type: str = Field("hn-intelligence/articles", frozen=True)
    whole: ClassVar[Any] = _Whole[list[ArticleReading]]


SCRAPED = ScrapedJSON(type="hn-intelligence/scraped")
ARTICLES = ArticlesJSON(type="hn-intelligence/articles")


class KeptRecords(WritableFileSystem):
    """The metadata of kept results, beside them in Prefect's result storage, and checked before Prefect sees it.

    What is read from there is only when the result expires. Key and serializer are ours, whatever is written; a
    result that our serializer cannot read counts as absent, so that the task runs again.
    """

    _block_type_name = "Kept records of hn-intelligence"

    serializer: TypedJSON

    def read_path(self, path: str, _sync: bool = True) -> bytes:  # type: ignore[override]  # the base declares a coroutine
        """The metadata of the result with the key *path*.

        Raises:
            Exception: there is none, or the result is not of the declared type.
        """
        storage = _storage()
        written = json.loads(storage.read_path(_beside(path), _sync=True))
        if written["serializer"] != self.serializer.model_dump():
            raise ValueError(f"the result {path} is in another form")
        self.serializer.loads(storage.read_path(path, _sync=True))
        found = ResultRecordMetadata(storage_key=path, expiration=written["expiration"], serializer=self.serializer)
        dumped: bytes = found.dump_bytes()
        return dumped

    # The base declares a coroutine, as for `read_path`.
    def write_path(self, path: str, content: bytes, _sync: bool = True) -> None:  # type: ignore[override]
        """Keep the metadata of the result with the key *path*."""
        _storage().write_path(_beside(path), content=content, _sync=True)

    async def aread_path(self, path: str) -> bytes:
        """The same, for a task that is a coroutine."""
        return await asyncio.to_thread(self.read_path, path)

    async def awrite_path(self, path: str, content: bytes) -> None:
        """The same, for a task that is a coroutine."""
        await asyncio.to_thread(self.write_path, path, content)


def _beside(key: str) -> str:
    return f"{key}.meta"


def _storage() -> Any:
    """The result storage of the task that runs; Prefect gives it one before it looks for a result."""
    return get_result_store().result_storage
