"""Snowflake's SQL where it differs from DuckDB's: types, JSON access, row errors."""

from __future__ import annotations

from collections.abc import Sequence

from hnintel.warehouse.base import Kind
from hnintel.warehouse.control_characters import BLANKS, BREAKS, CONTROLS, code_points

#: Types as INFORMATION_SCHEMA names them; it shows a migration's BIGINT, VARCHAR and DOUBLE under these names.
TYPES: dict[Kind, str] = {
    "text": "TEXT",
    "number": "FLOAT",
    "integer": "NUMBER",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP_NTZ",
    "list": "ARRAY",
}
#: Makes an AI function return an error for a row that it fails on.
DETAILS = "return_error_details => TRUE"
_JSON_NUMBERS = "('INTEGER', 'DECIMAL', 'DOUBLE')"
#: The whole of ISO 8601, and the whole of it with an offset: REGEXP_LIKE matches whole texts.
_DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}.*$"
_WITH_OFFSET = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].*([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)$"
#: The bounds of a BIGINT: the embedded warehouse stores no larger whole number, so both warehouses reject it.
_WHOLE = "BETWEEN -9.2e18 AND 9.2e18"


class SnowflakeDialect:
    """The SQL expressions of Snowflake.

    JSON expressions read the answer as text: a structured answer of Cortex is an OBJECT and an answer without a schema
    a VARCHAR, and both are the same as text.
    """

    def type_name(self, kind: Kind) -> str:
        """The column type for *kind*."""
        return TYPES[kind]

    def from_json(self, column: str, path: str, kind: Kind) -> str:
        """The value at *path*, as *kind*; NULL if its JSON type is another."""
        value = _at(column, path)
        text = f"CAST({value} AS VARCHAR)"
        if kind == "list":
            others = f"FILTER(CAST({value} AS ARRAY), given -> TYPEOF(given) <> 'VARCHAR')"
            is_list = f"TYPEOF({value}) = 'ARRAY'"
            cleaned = f"TRANSFORM(CAST({value} AS ARRAY), given -> {_without_controls('CAST(given AS VARCHAR)')})"
            return f"CASE WHEN {is_list} AND ARRAY_SIZE({others}) = 0 THEN {cleaned} END"
        if kind == "text":
            return f"CASE WHEN TYPEOF({value}) = 'VARCHAR' THEN {_without_controls(text)} END"
        if kind == "boolean":
            return f"CASE WHEN TYPEOF({value}) = 'BOOLEAN' THEN {text} = 'true' END"
        number, is_number = f"TRY_CAST({text} AS DOUBLE)", f"TYPEOF({value}) IN {_JSON_NUMBERS}"
        if kind == "integer":  # 3.0 is an integer, as in JSON schema; 3.7 is not, and is not rounded
            whole = f"{number} = FLOOR({number}) AND {number} {_WHOLE}"
            return f"CASE WHEN {is_number} AND {whole} THEN TRY_CAST({text} AS NUMBER(38, 0)) END"
        if kind == "number":
            return f"CASE WHEN {is_number} THEN {number} END"
        utc = f"CAST(CONVERT_TIMEZONE('UTC', TRY_CAST({text} AS TIMESTAMP_TZ)) AS TIMESTAMP_NTZ)"
        return (
            f"CASE WHEN TYPEOF({value}) <> 'VARCHAR' THEN NULL "
            f"WHEN REGEXP_LIKE({text}, '{_WITH_OFFSET}') THEN {utc} "
            f"WHEN REGEXP_LIKE({text}, '{_DATE}') THEN TRY_CAST({text} AS TIMESTAMP_NTZ) END"
        )

    def is_absent(self, column: str, path: str) -> str:
        """Whether *path* is missing or null."""
        return f"COALESCE(TYPEOF({_at(column, path)}), 'NULL_VALUE') = 'NULL_VALUE'"

    def is_blank(self, column: str) -> str:
        """Whether a text has no visible character."""
        return f"TRANSLATE({column}, {_characters(code_points(BLANKS))}, '') = ''"

    def list_size(self, column: str) -> str:
        """The number of texts in an ARRAY."""
        return f"ARRAY_SIZE({column})"

    def has_longer(self, column: str, characters: int) -> str:
        """Whether a text of an ARRAY has more than *characters* characters."""
        return f"ARRAY_SIZE(FILTER({column}, given -> LENGTH(CAST(given AS VARCHAR)) > {characters})) > 0"

    def with_error_details(self, call: str) -> str:
        """The call with its named argument."""
        return f"{call.rstrip()[:-1]}, {DETAILS})"

    def joined(self, text: str, order: str) -> str:
        """The texts in order, with no separator."""
        return f"LISTAGG({text}, '') WITHIN GROUP (ORDER BY {order})"

    def row_hash(self, columns: Sequence[str]) -> str:
        """The sum of the row hashes: independent of the order of rows, and a duplicate row counts twice."""
        return f"COALESCE(SUM(HASH({', '.join(columns)})), 0)"


def _without_controls(text: str) -> str:
    """TRANSLATE replaces the first characters of its list, as many as there are blanks, and removes the others."""
    breaks = code_points(BREAKS)
    return f"TRANSLATE({text}, {_characters([*breaks, *code_points(CONTROLS)])}, '{' ' * len(breaks)}')"


def _characters(codes: Sequence[int]) -> str:
    """A SQL expression for the text of *codes*, in ASCII; a literal has four-digit escapes only, and none for zero."""
    escaped = "".join(f"\\u{code:04x}" for code in codes if 0 < code <= 0xFFFF)
    others = [f"CHR({code})" for code in codes if code == 0 or code > 0xFFFF]
    return f"CONCAT('{escaped}', {', '.join(others)})" if others else f"'{escaped}'"


def _at(column: str, path: str) -> str:
    return f"GET_PATH(TRY_PARSE_JSON(CAST({column} AS VARCHAR)), '{path}')"
