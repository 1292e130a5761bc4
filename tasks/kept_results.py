"""Task results stored between runs: typed JSON, read back as the declared type only.

A result record of Prefect names what loads it (its serializer, a JSON library, the class of each object), so whoever
can write result storage can run code, even with the serializer ``json``. Here the reading side decides
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
    """The stored JSON: the result and the name of its form."""

    model_config = ConfigDict(extra="forbid")

    form: str
    result: T


class TypedJSON(Serializer):
    """JSON of one declared type; a subclass names the type."""

    type: str = Field("hn-intelligence", frozen=True)
    whole: ClassVar[Any]  # _Whole[the declared type]

    def dumps(self, obj: Any) -> bytes:
        """Return the JSON of *obj*; of an exception only its name, which is not loaded as a result.

        Raises:
            pydantic_core.PydanticSerializationError: *obj* is not of the declared type.
        """
        if isinstance(obj, BaseException):
            return json.dumps({"error": type(obj).__name__}).encode()
        whole = self.whole.model_construct(form=self.type, result=obj)
        written: str = whole.model_dump_json(warnings="error")
        return written.encode()

    def loads(self, blob: bytes) -> Any:
        """Load the value from *blob*.

        Raises:
            ValueError: *blob* is not JSON of the declared type.
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
    """The metadata of stored results, beside them in Prefect's result storage, checked before Prefect reads it.

    Only the expiry is read from storage. Key and serializer are ours, whatever the stored metadata names; a
    result that our serializer cannot load counts as absent, so that the task runs again.
    """

    _block_type_name = "Kept records of hn-intelligence"

    serializer: TypedJSON

    def read_path(self, path: str, _sync: bool = True) -> bytes:  # type: ignore[override]  # the base declares a coroutine
        """Return the metadata of the result with the key *path*.

        Raises:
            Exception: no such result is stored, or it is not of the declared type.
        """
        storage = _storage()
        written = json.loads(storage.read_path(_beside(path), _sync=True))
        if written["serializer"] != self.serializer.model_dump():
            raise ValueError(f"the result {path} is in another form")
        self.serializer.loads(storage.read_path(path, _sync=True))
        metadata = ResultRecordMetadata(storage_key=path, expiration=written["expiration"], serializer=self.serializer)
        dumped: bytes = metadata.dump_bytes()
        return dumped

    # The base declares a coroutine, as for `read_path`.
    def write_path(self, path: str, content: bytes, _sync: bool = True) -> None:  # type: ignore[override]
        """Store the metadata of the result with the key *path*."""
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
    """Return the result storage of the running task; Prefect sets it before it looks for a result."""
    return get_result_store().result_storage
