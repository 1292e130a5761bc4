"""Content encodings: everything comes through whole, in pieces of any size, and a bomb is never held."""

from __future__ import annotations

import contextlib
import gzip
import random
import tracemalloc
import zlib

import brotli
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from hnintel.http.decoding import Body, DecodingFailed, TooLarge

ENCODERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}
SAMPLE = random.Random(7).randbytes(40_000) + b"x" * 300_000


def decoded(data: bytes, encoding: str, step: int = 1_000_000, limit: int = 1_000_000) -> bytes:
    body = Body(encoding, limit)
    for start in range(0, len(data), step):
        body.feed(data[start : start + step])
    return body.finish()


@pytest.mark.parametrize("encoding", ENCODERS)
@pytest.mark.parametrize("step", [1, 3, 1000, 1_000_000])
def test_pieces_of_any_size_give_the_same(encoding: str, step: int) -> None:
    assert decoded(ENCODERS[encoding](SAMPLE), encoding, step) == SAMPLE


@given(st.binary(max_size=2000), st.lists(st.sampled_from(sorted(ENCODERS)), max_size=4), st.integers(1, 50))
def test_encodings_upon_each_other_are_undone_from_the_last(data: bytes, layers: list[str], step: int) -> None:
    packed = data
    for name in layers:
        packed = ENCODERS[name](packed)
    assert decoded(packed, ", ".join(layers), step) == data


def test_deflate_comes_with_and_without_its_header() -> None:
    bare = zlib.compressobj(wbits=-15)
    assert decoded(bare.compress(SAMPLE) + bare.flush(), "deflate", 1) == SAMPLE


def test_gzip_of_several_members_is_one_body_and_padding_is_overlooked() -> None:
    assert decoded(gzip.compress(b"one ") + gzip.compress(b"two") + bytes(10), "gzip", 7) == b"one two"


@pytest.mark.parametrize("step", range(1, 40))
def test_a_member_of_gzip_is_read_wherever_the_pieces_end(step: int) -> None:
    assert decoded(gzip.compress(b"one ") + gzip.compress(b"two ") + gzip.compress(b"three"), "gzip", step) == (
        b"one two three"
    )


def test_zstd_of_several_frames_is_one_body() -> None:
    assert decoded(zstd.compress(b"one ") + zstd.compress(b"two"), "zstd", 5) == b"one two"


#: The smallest part of each coding that can be repeated without a byte coming out.
EMPTY_PARTS = {
    "gzip": gzip.compress(b""),
    "zstd": zstd.compress(b""),
    "zstd, skippable": bytes.fromhex("502a4d1800000000"),
}


@pytest.mark.parametrize("part", EMPTY_PARTS)
@pytest.mark.parametrize("step", [7, 1_000_000])
def test_a_body_of_very_many_empty_parts_is_refused(part: str, step: int) -> None:
    with pytest.raises(DecodingFailed, match="more than 1,000 parts"):
        decoded(EMPTY_PARTS[part] * 1_001, part.split(",")[0], step)


@pytest.mark.parametrize("part", EMPTY_PARTS)
def test_a_body_of_a_thousand_parts_is_read(part: str) -> None:
    encoding = part.split(",")[0]
    assert decoded(EMPTY_PARTS[part] * 999 + ENCODERS[encoding](b"end"), encoding) == b"end"


@pytest.mark.parametrize("encoding", ["", "identity", "Identity , "])
def test_no_encoding_leaves_bytes_as_they_are(encoding: str) -> None:
    assert decoded(b"as they are", encoding) == b"as they are"


@pytest.mark.parametrize("encoding", ENCODERS)
def test_an_empty_body_is_empty_whatever_it_is_said_to_be(encoding: str) -> None:
    assert decoded(b"", encoding) == b""


@pytest.mark.parametrize("encoding", ENCODERS)
@pytest.mark.parametrize("cut", [1, 5, 1000])
def test_a_body_that_is_cut_off_fails(encoding: str, cut: int) -> None:
    with pytest.raises(DecodingFailed, match="ends early"):
        decoded(ENCODERS[encoding](SAMPLE)[:-cut], encoding)


@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_body_that_is_damaged_fails(encoding: str) -> None:
    with pytest.raises(DecodingFailed):
        decoded(b"<html>not compressed at all, whatever the header says</html>", encoding)


@given(st.sampled_from(sorted(ENCODERS)), st.binary(max_size=300))
def test_no_bytes_get_past_as_another_error(encoding: str, data: bytes) -> None:
    with contextlib.suppress(DecodingFailed, TooLarge):
        decoded(data, encoding, 11)


@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_bomb_stops_at_the_cap_with_bounded_memory_though_it_comes_in_one_piece(encoding: str) -> None:
    bomb, body = ENCODERS[encoding](bytes(64_000_000)), Body(encoding, 1_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match="more than 1000000 bytes"):
            body.feed(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000


def test_a_bomb_between_two_encodings_counts_though_nothing_comes_out_at_the_end() -> None:
    empty_blocks = b"\x00\x00\x00\xff\xff" * 2_000_000  # deflate that holds nothing, ten megabytes of it
    with pytest.raises(TooLarge):
        decoded(gzip.compress(empty_blocks), "deflate, gzip")


def test_a_window_larger_than_the_web_allows_is_refused() -> None:
    huge = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.checksum_flag: 1}
    compressor = zstd.ZstdCompressor(options=huge)
    data = compressor.compress(random.Random(1).randbytes(9_000_000)) + compressor.flush()
    with pytest.raises(DecodingFailed):
        decoded(data, "zstd", limit=20_000_000)


@pytest.mark.parametrize("encoding", ["exi", "gzip, compress", ", ".join(["gzip"] * 5)])
def test_other_encodings_and_towers_of_them_are_not_read(encoding: str) -> None:
    with pytest.raises(DecodingFailed):
        Body(encoding, 1000)
