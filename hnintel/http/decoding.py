"""Decodes content encodings in bounded pieces, so that a decompression bomb never fills the memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

import brotli
from backports import zstd

#: The codings that clients accept.
ACCEPT_ENCODING = "gzip, deflate, br, zstd"

_PIECE = 65_536
#: The largest window HTTP's zstd may ask for, 8 MB (RFC 9659); libzstd itself would grant 128 MB.
_ZSTD_WINDOW_LOG = 23
#: The most codings. Servers apply one, misconfigured servers two or three; more is an attack.
_LAYERS = 4
#: The most members of a gzip body, or frames of a zstd body. An empty part has nine to twenty bytes but costs a new
#: decompressor, so that a limit of bytes alone does not bound the time.
_PARTS = 1_000


class DecodingFailed(Exception):
    """The bytes do not match their ``Content-Encoding``, or end early."""


class TooLarge(Exception):
    """The body exceeds the limit, on the wire or after any coding."""


class Decoder(Protocol):
    """Decodes one coding, piece by piece."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decode *data*, in pieces of at most about 64 KB.

        Raises:
            DecodingFailed: the data is damaged.
        """

    def finish(self) -> None:
        """End the input.

        Raises:
            DecodingFailed: the input is incomplete.
        """


class _Parts:
    """Counts the members or frames of a body."""

    def __init__(self) -> None:
        self._count = 1

    def begin_next(self) -> None:
        """Count the next part.

        Raises:
            DecodingFailed: the body has more parts than allowed.
        """
        self._count += 1
        if self._count > _PARTS:
            raise DecodingFailed(f"the compressed body has more than {_PARTS:,} parts")


class _Zlib:
    """gzip (of any number of members) and deflate, with or without zlib's header, as servers send both."""

    def __init__(self, gzip: bool) -> None:
        self._gzip = gzip
        self._inner: zlib._Decompress | None = None
        self._head = b""
        self._trailing = False
        self._members = _Parts()

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._inner is None:
            self._head += data
            if len(self._head) < 2:
                return
            data, self._inner = self._head, zlib.decompressobj(_window(self._head, self._gzip))
        full = False
        while (data or full) and not self._trailing:
            try:
                piece = self._inner.decompress(data, _PIECE)
            except zlib.error as error:
                raise DecodingFailed("the compressed body is damaged") from error
            if piece:
                yield piece
            full = len(piece) == _PIECE  # zlib may have more output though its input is consumed
            data = self._inner.unconsumed_tail
            if self._inner.eof:
                data, full = self._next_member(self._inner.unused_data), False

    def finish(self) -> None:
        if not self._trailing and (self._head if self._inner is None else not self._inner.eof):
            raise DecodingFailed("the compressed body ends early")

    def _next_member(self, rest: bytes) -> bytes:
        """Start the next member, or ignore padding that servers append; returns the bytes to decode next."""
        if self._gzip and rest.startswith(b"\x1f\x8b"):
            self._members.begin_next()
            self._inner = zlib.decompressobj(_window(rest, gzip=True))
            return rest
        # A member's first two bytes may be split over two pieces; zlib retains the first until then.
        self._trailing = bool(rest) and not (self._gzip and rest == b"\x1f")
        return b""


def _window(head: bytes, gzip: bool) -> int:
    """The ``wbits`` for a body that begins with *head* (RFC 1950, 2.2 defines zlib's header)."""
    if gzip:
        return zlib.MAX_WBITS | 16
    has_header = head[0] & 0x0F == 8 and (head[0] << 8 | head[1]) % 31 == 0
    return zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS


class _Brotli:
    def __init__(self) -> None:
        self._inner = brotli.Decompressor()
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._begun = self._begun or bool(data)
        while not self._inner.is_finished():
            try:
                piece = self._inner.process(data, output_buffer_limit=_PIECE)
            except brotli.error as error:
                raise DecodingFailed("the compressed body is damaged") from error
            data = b""
            if piece:
                yield piece
            elif self._inner.can_accept_more_data():
                return

    def finish(self) -> None:
        if self._begun and not self._inner.is_finished():
            raise DecodingFailed("the compressed body ends early")


class _Zstd:
    def __init__(self) -> None:
        self._inner = self._frame()
        self._begun = False
        self._frames = _Parts()

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data or not (self._inner.needs_input or self._inner.eof):
            if self._inner.eof:  # the format allows any number of frames
                self._frames.begin_next()
                self._inner = self._frame()
            self._begun = True
            try:
                piece = self._inner.decompress(data, max_length=_PIECE)
            except zstd.ZstdError as error:
                raise DecodingFailed("the compressed body is damaged") from error
            if piece:
                yield piece
            data = self._inner.unused_data if self._inner.eof else b""

    def finish(self) -> None:
        if self._begun and not self._inner.eof:
            raise DecodingFailed("the compressed body ends early")

    @staticmethod
    def _frame() -> zstd.ZstdDecompressor:
        return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})


class Body:
    """A body that is decoded as it arrives, with at most *limit* bytes at each layer.

    Args:
        content_encoding: the header's value; ``""`` and ``identity`` mean no coding.
        limit: the most bytes on the wire and after each coding, because bytes that expand between two codings cost as
            much as those after the last.

    Raises:
        DecodingFailed: a coding is not supported, or there are too many.
    """

    def __init__(self, content_encoding: str, limit: int) -> None:
        names = [name.strip().lower() for name in content_encoding.split(",")]
        names = [name for name in names if name not in ("", "identity")]
        if len(names) > _LAYERS:
            raise DecodingFailed(f"{len(names)} content encodings, one upon another")
        self._decoders = [_decoder(name) for name in reversed(names)]
        self._limit = limit
        self._counts = [0] * (len(names) + 1)
        self._decoded = bytearray()

    def feed(self, data: bytes) -> None:
        """Decode the next bytes from the wire.

        Raises:
            TooLarge: the body exceeds the limit.
            DecodingFailed: the data is damaged.
        """
        for piece in self._through(0, data):
            self._decoded += piece

    @property
    def so_far(self) -> bytes:
        """The bytes decoded so far."""
        return bytes(self._decoded)

    def finish(self) -> bytes:
        """The complete body.

        Raises:
            DecodingFailed: the body ended early.
        """
        for decoder in self._decoders:
            decoder.finish()
        return bytes(self._decoded)

    def _through(self, layer: int, data: bytes) -> Iterator[bytes]:
        self._counts[layer] += len(data)
        if self._counts[layer] > self._limit:
            raise TooLarge(f"more than {self._limit} bytes")
        if layer == len(self._decoders):
            yield data
            return
        for piece in self._decoders[layer].feed(data):
            yield from self._through(layer + 1, piece)


def _decoder(name: str) -> Decoder:
    if name in ("gzip", "x-gzip"):
        return _Zlib(gzip=True)
    if name == "deflate":
        return _Zlib(gzip=False)
    if name == "br":
        return _Brotli()
    if name == "zstd":
        return _Zstd()
    raise DecodingFailed(f"the content encoding {name[:40]!r} is not read")
