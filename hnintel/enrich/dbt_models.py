"""Renders the dbt files that follow from the declarations of enrichments: sources, models, descriptions and tests."""

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
    *("comments", "posted_at", "has_article", "article_status"),
)
#: Models beside the rendered ones; a mart of an enrichment needs another name.
HAND_WRITTEN_MARTS = frozenset(
    {"stories", "daily_stories", "daily_sentiment", "topic_trends", "entity_trends", "domains", "walled_sites"}
)
_HEADER = "-- Written by `python -m hnintel gen` from the declarations of the enrichments. Change those.\n"


@dataclass(frozen=True, slots=True)
class StoryColumn:
    """A declared column in ``marts.stories``.

    Args:
        name: in the mart.
        enrichment: name of the enrichment that declares it.
        source: its name there.
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
    columns, discussed, listing = story_columns(ordered), _discussed(ordered), _listing(ordered)
    _refuse_equal_names(discussed + listing)
    context = {"enrichments": ordered, "story_columns": columns, "discussed": discussed, "listing": listing}
    files = {
        "staging/_declared_staging.yml": _template("_staging.yml.jinja", context),
        "intermediate/_declared_intermediate.yml": _template("_intermediate.yml.jinja", context),
        "intermediate/int_stories__answers.sql": _calls("answers_about_stories", _by_enrichment(columns)),
        "marts/_declared_marts.yml": _template("_marts.yml.jinja", context),
    }
    for one in ordered:
        files[f"staging/stg_ai__{one.name}.sql"] = _calls("staged_answers", one.name, _names(one.columns))
    for mart in discussed:
        files[f"marts/{mart.mart}.sql"] = _calls("answers_of_live_stories", mart.name, _names(mart.columns))
    for mart in listing:
        files[f"marts/{mart.mart}.sql"] = _calls("lists_of_live_stories", mart.name, _names(mart.columns))
    return {PurePosixPath(path): text for path, text in sorted(files.items())}


def story_columns(enrichments: Iterable[Enrichment]) -> list[StoryColumn]:
    """Columns that ``marts.stories`` shows: all about the story itself that are no lists.

    A column keeps its name, unless the mart has one of that name, or another enrichment declares it too: then it is
    ``<enrichment>_<column>``. In the second case the enrichment that has the column's own name keeps it as it is.
    """
    declared = [
        (one.name, column)
        for one in enrichments
        if not one.input.many
        for column in one.columns
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
    """Make *folder* hold exactly *files*; a file that is as it should be is not written again."""
    for path in stale_files(folder, files):
        target = folder / path
        if path not in files:
            target.unlink()
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(files[path], encoding="utf-8")


def stale_files(folder: Path, files: Mapping[PurePosixPath, str]) -> list[PurePosixPath]:
    """Paths below *folder* of files that are missing there, hold another text, or are none of *files*."""
    there = {PurePosixPath(path.relative_to(folder).as_posix()): path for path in folder.rglob("*") if path.is_file()}
    differing = {
        path for path, text in files.items() if path not in there or there[path].read_text(encoding="utf-8") != text
    }
    return sorted(differing | (there.keys() - files.keys()))


def _discussed(enrichments: Iterable[Enrichment]) -> list[_Mart]:
    """A mart for each enrichment that is about many texts: ``discussions`` of ``discussion``."""
    found = []
    for one in enrichments:
        columns = tuple(column for column in one.columns if column.kind != "list")
        if one.input.many and columns:
            found.append(_Mart(one.name if one.name.endswith("s") else f"{one.name}s", one.name, one.doc, columns))
    return found


def _listing(enrichments: Iterable[Enrichment]) -> list[_Mart]:
    """A mart for each enrichment that has lists: a story has many entries."""
    found = []
    for one in enrichments:
        columns = tuple(column for column in one.columns if column.kind == "list")
        if columns:
            found.append(_Mart(f"{one.name}_lists", one.name, one.doc, columns))
    return found


def _refuse_equal_names(marts: list[_Mart]) -> None:
    seen = dict.fromkeys(HAND_WRITTEN_MARTS, "dbt/models/marts")
    for mart in marts:
        if mart.mart in seen:
            raise DeclarationError(
                f"{mart.name}.py: its mart would be marts.{mart.mart}, which is that of {seen[mart.mart]}: "
                "name the file otherwise"
            )
        seen[mart.mart] = f"{mart.name}.py"


def _names(columns: Iterable[Column]) -> list[str]:
    return [column.name for column in columns]


def _by_enrichment(columns: Iterable[StoryColumn]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for column in columns:
        found.setdefault(column.enrichment, {})[column.source] = column.name
    return found


def _calls(macro: str, *arguments: object) -> str:
    """A model that is a call of a macro of ``dbt/macros/answers.sql``; the arguments are identifiers."""
    return f"{_HEADER}{{{{ {macro}({', '.join(json.dumps(argument) for argument in arguments)}) }}}}\n"


def _rules(enrichment: Enrichment) -> list[str]:
    """Conditions that hold in every row that answers the present question."""
    rules = [f"{column.name} is not null" for column in enrichment.columns if not column.nullable]
    for column in enrichment.columns:
        if column.between is not None:
            least, greatest = column.between
            # `holds` takes a null for a broken rule.
            rules.append(f"coalesce({column.name} between {least!r} and {greatest!r}, true)")
    return rules


def _present(enrichment: Enrichment) -> str:
    """Limits a test to the answers of the present question, where the run says which that is.

    Until they are asked again, items show their answers to earlier questions, which promised something else.
    """
    return _text_in_yaml(f"'{{{{ env_var('{asked_variable(enrichment.name)}', '') }}}}' in ('', fingerprint)")


def asked_variable(name: str) -> str:
    """The environment variable with the fingerprint of the question that enrichment *name* asks at present."""
    return f"HNINTEL_DBT_ASKED_{name.upper()}"


def _text_in_yaml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _text(text: str) -> str:
    """Text of a declaration as a YAML scalar, in which dbt finds no template."""
    inert = text.replace("{", "{{ '{' }}") if any(opening in text for opening in ("{{", "{%", "{#")) else text
    return _text_in_yaml(" ".join(inert.split()))


def _quotable(values: Iterable[str]) -> str:
    """Values for ``accepted_values``, which puts them between quotes as they are."""
    return "[" + ", ".join(_text(value.replace("'", "''")) for value in values) + "]"


def _template(name: str, context: Mapping[str, object]) -> str:
    return _environment().get_template(name).render(context)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    # dbt's own templates are within these, so that ours need other marks.
    environment = Environment(  # noqa: S701 (YAML, escaped by its filters)
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
