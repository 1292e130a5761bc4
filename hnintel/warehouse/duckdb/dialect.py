"""DuckDB's SQL where it differs from Snowflake's: types, JSON access, row errors."""

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


#: The beginning of ISO 8601, and the whole of it with an offset, which DuckDB's TIMESTAMP would ignore.
_DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}"


_WITH_OFFSET = f"{_DATE}[Tt ].*([Zz]|[+-][0-9]{{2}}(:?[0-9]{{2}})?)$"


class DuckDBDialect:
    """The SQL expressions of DuckDB."""

    def type_name(self, kind: Kind) -> str:
        """The column type for *kind*."""
        return _TYPES[kind]

    def from_json(self, column: str, path: str, kind: Kind) -> str:
        """The value at *path*, as *kind*; NULL if its JSON type is another: "3" is not a number."""
        json_kind, text = f"json_type({column}, '$.{path}')", f"json_extract_string({column}, '$.{path}')"
        if kind == "list":
            others = f"list_filter(json_type({column}, '$.{path}[*]'), lambda given: given <> 'VARCHAR')"
            items = f"CAST(json_extract({column}, '$.{path}') AS VARCHAR[])"
            cleaned = f"list_transform({items}, lambda given: {_without_controls('given')})"
            return f"CASE WHEN {json_kind} = 'ARRAY' AND len({others}) = 0 THEN {cleaned} END"
        if kind == "text":
            return f"CASE WHEN {json_kind} = 'VARCHAR' THEN {_without_controls(text)} END"
        if kind == "boolean":
            return f"CASE WHEN {json_kind} = 'BOOLEAN' THEN {text} = 'true' END"
        if kind == "integer":  # 3.0 is an integer, as in JSON schema; 3.7 is not, and is not rounded
            whole = f"TRY_CAST({text} AS DOUBLE) = floor(TRY_CAST({text} AS DOUBLE))"
            return f"CASE WHEN {json_kind} IN {_JSON_NUMBERS} AND {whole} THEN TRY_CAST({text} AS BIGINT) END"
        if kind == "number":
            return f"CASE WHEN {json_kind} IN {_JSON_NUMBERS} THEN TRY_CAST({text} AS DOUBLE) END"
        return (
            f"CASE WHEN {json_kind} <> 'VARCHAR' THEN NULL "
            f"WHEN regexp_matches({text}, '{_WITH_OFFSET}') THEN TRY_CAST({text} AS TIMESTAMPTZ) AT TIME ZONE 'UTC' "
            f"WHEN regexp_matches({text}, '{_DATE}') THEN TRY_CAST({text} AS TIMESTAMP) END"
        )

    def is_absent(self, column: str, path: str) -> str:
        """Whether *path* is missing or null."""
        return f"coalesce(json_type({column}, '$.{path}'), 'NULL') = 'NULL'"

    def is_blank(self, column: str) -> str:
        """Whether a text has no visible character."""
        return f"regexp_full_match({column}, '{_class(BLANKS)}*')"

    def list_size(self, column: str) -> str:
        """The number of texts in a list."""
        return f"len({column})"

    def has_longer(self, column: str, characters: int) -> str:
        """Whether a text of a list has more than *characters* characters."""
        return f"len(list_filter({column}, lambda given: length(given) > {characters})) > 0"

    def with_error_details(self, call: str) -> str:
        """The call with Snowflake's named argument, which the embedded functions accept too."""
        return f"{call.rstrip()[:-1]}, return_error_details => TRUE)"

    def joined(self, text: str, order: str) -> str:
        """The texts in order, with no separator."""
        return f"string_agg({text}, '' ORDER BY {order})"

    def row_hash(self, columns: Sequence[str]) -> str:
        """The sum of the row hashes: independent of the order of rows, and a duplicate row counts twice."""
        return f"coalesce(sum(hash({', '.join(columns)})), 0)"


def _without_controls(text: str) -> str:
    return f"regexp_replace(regexp_replace({text}, '{_class(BREAKS)}', ' ', 'g'), '{_class(CONTROLS)}', '', 'g')"


def _class(ranges: tuple[tuple[int, int], ...]) -> str:
    return "[" + "".join(f"\\x{{{first:x}}}-\\x{{{last:x}}}" for first, last in ranges) + "]"
