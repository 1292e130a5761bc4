"""What DuckDB writes otherwise than Snowflake: types, JSON access, row errors."""

from __future__ import annotations

from collections.abc import Sequence

from hnintel.warehouse.base import Kind
from hnintel.warehouse.control_characters import BLANKS, BREAKS, CONTROLS

_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "number": "DOUBLE",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "list": "VARCHAR[]",
}


_JSON_NUMBERS = "('UBIGINT', 'BIGINT', 'DOUBLE')"


#: How ISO 8601 begins, and how it ends where it names an offset. DuckDB's TIMESTAMP would leave the offset out.
_DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}"


_WITH_OFFSET = f"{_DATE}[Tt ].*([Zz]|[+-][0-9]{{2}}(:?[0-9]{{2}})?)$"


class DuckDBDialect:
    """DuckDB's way of saying what differs."""

    def type_name(self, kind: Kind) -> str:
        """The column type that holds *kind*."""
        return _TYPES[kind]

    def from_json(self, column: str, path: str, kind: Kind) -> str:
        """What lies at *path*, as *kind*; NULL where it is no such: JSON's types are not bent, so "3" is no number."""
        found, text = f"json_type({column}, '$.{path}')", f"json_extract_string({column}, '$.{path}')"
        if kind == "list":
            others = f"list_filter(json_type({column}, '$.{path}[*]'), lambda given: given <> 'VARCHAR')"
            items = f"CAST(json_extract({column}, '$.{path}') AS VARCHAR[])"
            kept = f"list_transform({items}, lambda given: {_without_controls('given')})"
            return f"CASE WHEN {found} = 'ARRAY' AND len({others}) = 0 THEN {kept} END"
        if kind == "text":
            return f"CASE WHEN {found} = 'VARCHAR' THEN {_without_controls(text)} END"
        if kind == "boolean":
            return f"CASE WHEN {found} = 'BOOLEAN' THEN {text} = 'true' END"
        if kind == "integer":  # 3.0 is one, as in JSON schema; 3.7 is none, and is not rounded to one
            whole = f"TRY_CAST({text} AS DOUBLE) = floor(TRY_CAST({text} AS DOUBLE))"
            return f"CASE WHEN {found} IN {_JSON_NUMBERS} AND {whole} THEN TRY_CAST({text} AS BIGINT) END"
        if kind == "number":
            return f"CASE WHEN {found} IN {_JSON_NUMBERS} THEN TRY_CAST({text} AS DOUBLE) END"
        return (
            f"CASE WHEN {found} <> 'VARCHAR' THEN NULL "
            f"WHEN regexp_matches({text}, '{_WITH_OFFSET}') THEN TRY_CAST({text} AS TIMESTAMPTZ) AT TIME ZONE 'UTC' "
            f"WHEN regexp_matches({text}, '{_DATE}') THEN TRY_CAST({text} AS TIMESTAMP) END"
        )

    def is_absent(self, column: str, path: str) -> str:
        """Nothing, or a null, lies at *path*."""
        return f"coalesce(json_type({column}, '$.{path}'), 'NULL') = 'NULL'"

    def is_blank(self, column: str) -> str:
        """Nothing of a text shows."""
        return f"regexp_full_match({column}, '{_class(BLANKS)}*')"

    def list_size(self, column: str) -> str:
        """How many texts a list has."""
        return f"len({column})"

    def has_longer(self, column: str, characters: int) -> str:
        """Whether one text of a list has more than so many characters."""
        return f"len(list_filter({column}, lambda given: length(given) > {characters})) > 0"

    def with_error_details(self, call: str) -> str:
        """The call with Snowflake's named argument, which the embedded functions take too."""
        return f"{call.rstrip()[:-1]}, return_error_details => TRUE)"

    def joined(self, text: str, order: str) -> str:
        """In order, with nothing between them."""
        return f"string_agg({text}, '' ORDER BY {order})"

    def row_hash(self, columns: Sequence[str]) -> str:
        """A sum of row hashes: rows may come in any order, and one that is there twice counts twice."""
        return f"coalesce(sum(hash({', '.join(columns)})), 0)"


def _without_controls(text: str) -> str:
    return f"regexp_replace(regexp_replace({text}, '{_class(BREAKS)}', ' ', 'g'), '{_class(CONTROLS)}', '', 'g')"


def _class(ranges: tuple[tuple[int, int], ...]) -> str:
    return "[" + "".join(f"\\x{{{first:x}}}-\\x{{{last:x}}}" for first, last in ranges) + "]"
