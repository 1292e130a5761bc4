"""Renders the dbt files derived from the declared enrichments: sources, models, descriptions and tests."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hnintel.enrich.column import Column
from hnintel.enrich.declaration import Enrichment
from hnintel.errors import DeclarationError

#: Columns of ``marts.stories`` that no enrichment declares.
STORY_COLUMNS = (
    *("item_id", "day", "type", "kind", "status", "title", "url", "canonical_url", "domain", "author", "score"),
    *("comments", "posted_at", "has_article", "article_status", "wall"),
)
#: Hand-written marts; a mart of an enrichment must not have one of these names.
HAND_WRITTEN_MARTS = frozenset(
    {"stories", "daily_stories", "daily_sentiment", "topic_trends", "entity_trends", "domains", "walled_sites"}
)
_HEADER = "-- Written by `python -m hnintel gen` from the declarations of the enrichments. Change those.\n"


@dataclass(frozen=True, slots=True)
class StoryColumn:
    """A declared column in ``marts.stories``.

    Args:
        name: the column's name in the mart.
        enrichment: name of the enrichment that declares it.
        source: the column's name in the enrichment.
        description: the declaration's sentence.
    """

    name: str
    enrichment: str
    source: str
    description: str


@dataclass(frozen=True, slots=True)
class _Mart:
    mart: str
    name: str
    doc: str
    columns: tuple[Column, ...]

    @property
    def lists_described(self) -> str:
        return " ".join(f"{column.name}: {column.description}" for column in self.columns)


def render_models(enrichments: Mapping[str, Enrichment]) -> dict[PurePosixPath, str]:
    """The text of every rendered file, by its path below ``dbt/declared``.

    Raises:
        DeclarationError: two marts would have the same name.
    """
    ordered = [enrichments[name] for name in sorted(enrichments)]
    columns, discussed, listing = story_columns(ordered), _discussion_marts(ordered), _list_marts(ordered)
    _refuse_equal_names(discussed + listing)
    context = {"enrichments": ordered, "story_columns": columns, "discussed": discussed, "listing": listing}
    files = {
        "staging/_declared_staging.yml": _template("_staging.yml.jinja", context),
        "intermediate/_declared_intermediate.yml": _template("_intermediate.yml.jinja", context),
        "intermediate/int_stories__answers.sql": _calls("answers_about_stories", _by_enrichment(columns)),
        "marts/_declared_marts.yml": _template("_marts.yml.jinja", context),
    }
    for source in ordered:
        files[f"staging/stg_ai__{source.name}.sql"] = _calls("staged_answers", source.name, _names(source.columns))
    for mart in discussed:
        files[f"marts/{mart.mart}.sql"] = _calls("answers_of_live_stories", mart.name, _names(mart.columns))
    for mart in listing:
        files[f"marts/{mart.mart}.sql"] = _calls("lists_of_live_stories", mart.name, _names(mart.columns))
    return {PurePosixPath(path): text for path, text in sorted(files.items())}


def story_columns(enrichments: Iterable[Enrichment]) -> list[StoryColumn]:
    """Columns that ``marts.stories`` shows: those about the story itself, without lists.

    A column is renamed ``<enrichment>_<column>`` if the mart has a column of that name, or if several enrichments
    declare it; in the second case the enrichment that is named like the column keeps the plain name.

    Raises:
        DeclarationError: two columns would have the same name.
    """
    declared = [
        (enrichment.name, column)
        for enrichment in enrichments
        if not enrichment.input.many
        for column in enrichment.columns
        if column.kind != "list"
    ]
    counted = Counter(column.name for _, column in declared)
    shown = []
    for enrichment, column in declared:
        is_taken = column.name in STORY_COLUMNS or (counted[column.name] > 1 and enrichment != column.name)
        name = f"{enrichment}_{column.name}" if is_taken else column.name
        shown.append(StoryColumn(name, enrichment, column.name, column.description))
    if twice := [name for name, count in Counter(column.name for column in shown).items() if count > 1]:
        raise DeclarationError(f"two declared columns would be marts.stories.{twice[0]}: rename one of them")
    return shown


def write_files(folder: Path, files: Mapping[PurePosixPath, str]) -> None:
    """Write *files* to *folder* and delete every other file there; a file that is already right is not rewritten."""
    for path in stale_files(folder, files):
        target = folder / path
        if path not in files:
            target.unlink()
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(files[path], encoding="utf-8")


def stale_files(folder: Path, files: Mapping[PurePosixPath, str]) -> list[PurePosixPath]:
    """Paths below *folder* of files that are missing, differ from *files*, or are not among *files*."""
    old = {PurePosixPath(path.relative_to(folder).as_posix()): path for path in folder.rglob("*") if path.is_file()}
    differing = {
        path for path, text in files.items() if path not in old or old[path].read_text(encoding="utf-8") != text
    }
    return sorted(differing | (old.keys() - files.keys()))


def _discussion_marts(enrichments: Iterable[Enrichment]) -> list[_Mart]:
    """A mart for each enrichment that reads many texts an item: ``discussions`` of ``discussion``."""
    marts = []
    for source in enrichments:
        columns = tuple(column for column in source.columns if column.kind != "list")
        if source.input.many and columns:
            marts.append(
                _Mart(source.name if source.name.endswith("s") else f"{source.name}s", source.name, source.doc, columns)
            )
    return marts


def _list_marts(enrichments: Iterable[Enrichment]) -> list[_Mart]:
    """A mart for each enrichment with list columns: a row for each entry of a story's lists."""
    marts = []
    for source in enrichments:
        columns = tuple(column for column in source.columns if column.kind == "list")
        if columns:
            marts.append(_Mart(f"{source.name}_lists", source.name, source.doc, columns))
    return marts


def _refuse_equal_names(marts: list[_Mart]) -> None:
    seen = dict.fromkeys(HAND_WRITTEN_MARTS, "dbt/models/marts")
    for mart in marts:
        if mart.mart in seen:
            raise DeclarationError(
                f"{mart.name}.py: its mart would be marts.{mart.mart}, which belongs to {seen[mart.mart]}: "
                "rename the file"
            )
        seen[mart.mart] = f"{mart.name}.py"


def _names(columns: Iterable[Column]) -> list[str]:
    return [column.name for column in columns]


def _by_enrichment(columns: Iterable[StoryColumn]) -> dict[str, dict[str, str]]:
    names: dict[str, dict[str, str]] = {}
    for column in columns:
        names.setdefault(column.enrichment, {})[column.source] = column.name
    return names


def _calls(macro: str, *arguments: object) -> str:
    """A model that is a call of a macro of ``dbt/macros/answers.sql``; the arguments are identifiers."""
    return f"{_HEADER}{{{{ {macro}({', '.join(json.dumps(argument) for argument in arguments)}) }}}}\n"


def _rules(enrichment: Enrichment) -> list[str]:
    """Conditions that every row with an answer to the present question meets."""
    rules = [f"{column.name} is not null" for column in enrichment.columns if not column.nullable]
    for column in enrichment.columns:
        if column.between is not None:
            least, greatest = column.between
            # The test `holds` counts a null as a violation.
            rules.append(f"coalesce({column.name} between {least!r} and {greatest!r}, true)")
    return rules


def _present(enrichment: Enrichment) -> str:
    """Limits a test to answers to the present question, if the run names its fingerprint.

    Until an item is asked again, it shows its answer to an earlier question, for which other rules held.
    """
    return _text_in_yaml(f"'{{{{ env_var('{asked_variable(enrichment.name)}', '') }}}}' in ('', fingerprint)")


def asked_variable(name: str) -> str:
    """The environment variable that holds the fingerprint of enrichment *name*'s present question."""
    return f"HNINTEL_DBT_ASKED_{name.upper()}"


def _text_in_yaml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _text(text: str) -> str:
    """A declaration's text as a YAML scalar, with Jinja marks escaped for dbt."""
    inert = text.replace("{", "{{ '{' }}") if any(opening in text for opening in ("{{", "{%", "{#")) else text
    return _text_in_yaml(" ".join(inert.split()))


def _quotable(values: Iterable[str]) -> str:
    """Values for ``accepted_values``, which quotes them without escaping."""
    return "[" + ", ".join(_text(value.replace("'", "''")) for value in values) + "]"


def _template(name: str, context: Mapping[str, object]) -> str:
    return _environment().get_template(name).render(context)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    # Other delimiters than dbt's, because the rendered files contain dbt's own templates.
    environment = Environment(  # noqa: S701 (YAML, escaped by the filters)
        loader=FileSystemLoader(Path(__file__).parent / "dbt"),
        block_start_string="[%",
        block_end_string="%]",
        variable_start_string="[[",
        variable_end_string="]]",
        comment_start_string="[#",
        comment_end_string="#]",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(text=_text, quotable=_quotable)
    environment.globals.update(rules=_rules, present=_present)
    return environment
