"""Snowflake's way of saying what two warehouses' SQL differs in."""

from __future__ import annotations

from collections.abc import Sequence

from hnintel.warehouse.base import Kind
from hnintel.warehouse.control_characters import BLANKS, BREAKS, CONTROLS, code_points

#: By the names that INFORMATION_SCHEMA gives; a migration's BIGINT, VARCHAR and DOUBLE come out there as these.
TYPES: dict[Kind, str] = {
    "text": "TEXT",
    "number": "FLOAT",
    "integer": "NUMBER",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP_NTZ",
    "list": "ARRAY",
}
#: Makes an AI function answer a row that it fails on with its error.
DETAILS = "return_error_details => TRUE"
_JSON_NUMBERS = "('INTEGER', 'DECIMAL', 'DOUBLE')"
#: How ISO 8601 begins, and how it ends where it names an offset. REGEXP_LIKE is about the whole text.
_DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}.*$"
_WITH_OFFSET = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].*([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)$"
#: A BIGINT's bounds: the embedded warehouse holds no larger whole number, so neither engine takes one.
_WHOLE = "BETWEEN -9.2e18 AND 9.2e18"


class SnowflakeDialect:
    """Every expression of JSON is over the text of the answer: a structured answer of Cortex is an OBJECT, an answer
    without a schema a VARCHAR, and as text they read alike."""

    def type_name(self, kind: Kind) -> str:
        """The column type that holds *kind*."""
        return TYPES[kind]

    def from_json(self, column: str, path: str, kind: Kind) -> str:
        """What lies at *path*, as *kind*; NULL where it is no such."""
        found = _at(column, path)
        text = f"CAST({found} AS VARCHAR)"
        if kind == "list":
            others = f"FILTER(CAST({found} AS ARRAY), given -> TYPEOF(given) <> 'VARCHAR')"
            is_list = f"TYPEOF({found}) = 'ARRAY'"
            kept = f"TRANSFORM(CAST({found} AS ARRAY), given -> {_without_controls('CAST(given AS VARCHAR)')})"
            return f"CASE WHEN {is_list} AND ARRAY_SIZE({others}) = 0 THEN {kept} END"
        if kind == "text":
            return f"CASE WHEN TYPEOF({found}) = 'VARCHAR' THEN {_without_controls(text)} END"
        if kind == "boolean":
            return f"CASE WHEN TYPEOF({found}) = 'BOOLEAN' THEN {text} = 'true' END"
        number, is_number = f"TRY_CAST({text} AS DOUBLE)", f"TYPEOF({found}) IN {_JSON_NUMBERS}"
        if kind == "integer":  # 3.0 is one, as in JSON schema; 3.7 is none, and is not rounded to one
            whole = f"{number} = FLOOR({number}) AND {number} {_WHOLE}"
            return f"CASE WHEN {is_number} AND {whole} THEN TRY_CAST({text} AS NUMBER(38, 0)) END"
        if kind == "number":
            return f"CASE WHEN {is_number} THEN {number} END"
        utc = f"CAST(CONVERT_TIMEZONE('UTC', TRY_CAST({text} AS TIMESTAMP_TZ)) AS TIMESTAMP_NTZ)"
        return (
            f"CASE WHEN TYPEOF({found}) <> 'VARCHAR' THEN NULL "
            f"WHEN REGEXP_LIKE({text}, '{_WITH_OFFSET}') THEN {utc} "
            f"WHEN REGEXP_LIKE({text}, '{_DATE}') THEN TRY_CAST({text} AS TIMESTAMP_NTZ) END"
        )

    def is_absent(self, column: str, path: str) -> str:
        """Nothing, or a null, lies at *path*."""
        return f"COALESCE(TYPEOF({_at(column, path)}), 'NULL_VALUE') = 'NULL_VALUE'"

    def is_blank(self, column: str) -> str:
        """Nothing of a text shows."""
        return f"TRANSLATE({column}, {_characters(code_points(BLANKS))}, '') = ''"

    def list_size(self, column: str) -> str:
        """How many texts an ARRAY has."""
        return f"ARRAY_SIZE({column})"

    def has_longer(self, column: str, characters: int) -> str:
        """Whether one text of an ARRAY has more than so many characters."""
        return f"ARRAY_SIZE(FILTER({column}, given -> LENGTH(CAST(given AS VARCHAR)) > {characters})) > 0"

    def with_error_details(self, call: str) -> str:
        """The call with its named argument."""
        return f"{call.rstrip()[:-1]}, {DETAILS})"

    def joined(self, text: str, order: str) -> str:
        """In order, with nothing between them."""
        return f"LISTAGG({text}, '') WITHIN GROUP (ORDER BY {order})"

    def row_hash(self, columns: Sequence[str]) -> str:
        """A sum of row hashes: rows may come in any order, and one that is there twice counts twice."""
        return f"COALESCE(SUM(HASH({', '.join(columns)})), 0)"


def _without_controls(text: str) -> str:
    """TRANSLATE puts a blank for as many as it is given blanks for, and leaves the others out."""
    breaks = code_points(BREAKS)
    return f"TRANSLATE({text}, {_characters([*breaks, *code_points(CONTROLS)])}, '{' ' * len(breaks)}')"


def _characters(codes: Sequence[int]) -> str:
    """A text of *codes*, in ASCII; a literal's escapes have four digits, and none for zero."""
    escaped = "".join(f"\\u{code:04x}" for code in codes if 0 < code <= 0xFFFF)
    others = [f"CHR({code})" for code in codes if code == 0 or code > 0xFFFF]
    return f"CONCAT('{escaped}', {', '.join(others)})" if others else f"'{escaped}'"


def _at(column: str, path: str) -> str:
    return f"GET_PATH(TRY_PARSE_JSON(CAST({column} AS VARCHAR)), '{path}')"
