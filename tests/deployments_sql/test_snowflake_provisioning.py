"""deployments/snowflake.sql and its twin: what they make, grant and take away, in every environment.

No account is asked: names are filled in as Snowflake would, each statement is held to a form of its documentation and
to sqlglot's grammar, and what fakesnow can run is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import fakesnow
import pytest
import snowflake.connector
import sqlglot
import yaml
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.connector.errors import ProgrammingError

from hnintel.doctor.questions import questions
from hnintel.doctor.snowflake.needs import database_needs, schema_needs
from hnintel.settings import Settings
from hnintel.settings.snowflake import Stage
from hnintel.warehouse.snowflake.link import SCHEMA as SESSION_SCHEMA
from hnintel.warehouse.statements import FOLDER
from tests.conftest import ROOT
from tests.deployments_sql.provisioned import (
    DATABASES,
    ENVIRONMENTS,
    SETUP,
    TEARDOWN,
    Provisioned,
    expanded,
    form_of,
    provision,
)
from tests.deployments_sql.sent import SCHEMAS, sent

ROLE_OF: dict[Stage, str] = {"ingest": "LOADER", "enrich": "ENRICHER", "transform": "TRANSFORMER"}


@pytest.fixture(params=ENVIRONMENTS)
def environment(request: pytest.FixtureRequest) -> str:
    """Each environment in turn."""
    return str(request.param)


@pytest.fixture
def made(environment: str) -> Provisioned:
    """An account after the script."""
    return provision(environment)


@pytest.fixture
def db(environment: str) -> str:
    """The environment's database, which all names begin with."""
    return DATABASES[environment]


def commented(path: str) -> str:
    """What stands in the script as a comment to be taken up by hand, as SQL."""
    lines = re.findall(r"^-- ((?:CALL|GRANT|USE|SET|CREATE|ALTER) .*;)$", path, re.MULTILINE)
    return "\n".join(lines)


# --- what can be read without an account ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [SETUP, TEARDOWN], ids=lambda path: path.name)
def test_every_statement_is_read_by_sqlglot_and_has_a_documented_form(path: Path, environment: str) -> None:
    lines = expanded(path, environment)
    assert len(lines) > 10
    for line in lines:
        assert sqlglot.parse_one(line, read="snowflake") is not None
        form_of(line)


def test_a_misspelt_environment_names_nothing_and_so_makes_nothing() -> None:
    lines = expanded(SETUP, "production")
    first = next(line for line in lines if not line.startswith("USE ROLE"))
    assert first.startswith("CREATE ROLE IF NOT EXISTS IDENTIFIER(NULL)")


def test_the_script_makes_what_is_not_there_and_replaces_and_drops_nothing(environment: str) -> None:
    for line in expanded(SETUP, environment):
        assert not re.search(r"\b(DROP|REPLACE|TRUNCATE|REVOKE|UNDROP|RENAME|SWAP)\b", line)
        if line.startswith("CREATE"):
            assert " IF NOT EXISTS " in line
        assert line.split()[0] in ("CREATE", "GRANT", "USE") or form_of(line)[0] == "set monitor"


def test_a_run_looks_for_the_database_that_the_script_makes(environment: str, db: str) -> None:
    """Production is the environment without a suffix."""
    chosen = Settings(environment=None if environment == "prod" else environment)  # type: ignore[arg-type]
    assert chosen.snowflake_database_name == db


def test_environments_share_nothing_but_the_account() -> None:
    names = [{name for many in provision(one).objects.values() for name in many} for one in ENVIRONMENTS]
    assert names[0].isdisjoint(names[1])
    assert names[0].isdisjoint(names[2])
    assert names[1].isdisjoint(names[2])


# --- what it makes ----------------------------------------------------------------------------------------------------


def test_the_schemas_are_those_of_the_migrations_and_of_dbt(made: Provisioned, db: str) -> None:
    migrations = "".join(path.read_text(encoding="utf-8") for path in (FOLDER / "migrations").glob("*.sql"))
    wanted = set(re.findall(r"CREATE SCHEMA IF NOT EXISTS (\w+)", migrations))
    models = yaml.safe_load((ROOT / "dbt" / "dbt_project.yml").read_text(encoding="utf-8"))["models"]["hnintel"]
    wanted |= {layer["+schema"] for name, layer in models.items() if not name.startswith("+")}
    assert {name.removeprefix(f"{db}.").lower() for name in made.objects["SCHEMA"]} == wanted == set(SCHEMAS)


def test_each_stage_has_a_warehouse_that_sleeps_after_a_minute_wakes_by_itself_and_is_watched(
    made: Provisioned, environment: str, db: str
) -> None:
    forms = [form_of(line) for line in expanded(SETUP, environment)]
    warehouses = {given["name"]: given for form, given in forms if form == "create warehouse"}
    assert warehouses.keys() == {f"{db}_{stage}_WH" for stage in ("INGEST", "ENRICH", "TRANSFORM")} == made.monitored
    assert {(one["suspend"], one["resume"]) for one in warehouses.values()} == {("60", "TRUE")}
    (monitor,) = [given for form, given in forms if form == "create resource monitor"]
    assert re.findall(r"DO (\w+)", monitor["triggers"]) == ["NOTIFY", "SUSPEND", "SUSPEND_IMMEDIATE"]
    assert {given["monitor"] for form, given in forms if form == "set monitor"} == {monitor["name"]}


def test_a_statement_is_made_by_the_least_of_the_administrators_that_may(environment: str) -> None:
    role, seen = "", set()
    for line in expanded(SETUP, environment):
        form, given = form_of(line)
        role = given["name"] if form == "use role" else role
        seen.add((form, role))
    assert seen - {("use role", role) for _, role in seen} == {
        ("create role", "USERADMIN"),
        ("create database", "SYSADMIN"),
        ("create schema", "SYSADMIN"),
        ("create warehouse", "SYSADMIN"),
        ("create resource monitor", "ACCOUNTADMIN"),
        ("set monitor", "ACCOUNTADMIN"),
        ("grant role", "SECURITYADMIN"),
        ("grant on object", "SECURITYADMIN"),
        ("grant on many", "SECURITYADMIN"),
        ("grant on account", "ACCOUNTADMIN"),
        ("grant database role", "ACCOUNTADMIN"),
    }


# --- what it grants ---------------------------------------------------------------------------------------------------


def test_what_the_code_sends_was_found() -> None:
    """The next test rests on it."""
    assert {("OWNERSHIP", "raw"), ("DELETE", "ops"), ("UPDATE", "enriched"), ("SELECT", "staging")} <= sent()
    assert len(sent()) > 15


def test_a_run_may_do_everything_that_the_code_does_to_each_schema(made: Provisioned, db: str) -> None:
    pipeline = f"{db}_PIPELINE"
    assert not [one for one in sorted(sent()) if not _may(made, pipeline, db, *one)]
    assert made.may(pipeline, "CREATE SCHEMA", "DATABASE", db)


def test_the_enricher_alone_may_read_all_that_the_briefing_is_made_of(made: Provisioned, db: str) -> None:
    read = {one for one in sent("briefing") if one[0] == "SELECT"}
    assert ("SELECT", "marts") in read
    assert not [one for one in sorted(read) if not _may(made, f"{db}_ENRICHER", db, *one)]


@pytest.mark.parametrize("stage", ROLE_OF)
def test_each_stage_may_be_run_by_its_own_role_alone(made: Provisioned, db: str, stage: Stage) -> None:
    role = f"{db}_{ROLE_OF[stage]}"
    assert all(made.may(role, one, "DATABASE", db) for one in database_needs([stage]))
    assert made.may(role, "USAGE", "WAREHOUSE", f"{db}_{stage.upper()}_WH")
    for need in schema_needs([stage]):
        schema = f"{db}.{need.schema}"
        assert all(made.may(role, one, "SCHEMA", schema) for one in need.on_schema), need
        assert all(made.may_on_tables(role, one, schema) for one in need.on_objects), need


def test_what_a_stage_alters_has_one_owner_whoever_makes_it(made: Provisioned, db: str) -> None:
    owners = {
        (name, kind): role for role, held in made.future.items() for one, kind, name in held if one == "OWNERSHIP"
    }
    assert owners == {
        (f"{db}.ENRICHED", "TABLE"): f"{db}_ENRICHER",
        (f"{db}.ENRICHED", "VIEW"): f"{db}_ENRICHER",
        (f"{db}.STAGING", "TABLE"): f"{db}_TRANSFORMER",
        (f"{db}.STAGING", "VIEW"): f"{db}_TRANSFORMER",
        (f"{db}.MARTS", "TABLE"): f"{db}_TRANSFORMER",
        (f"{db}.MARTS", "VIEW"): f"{db}_TRANSFORMER",
    }


def test_the_pipeline_role_alone_may_make_schemas_and_what_migrations_make(made: Provisioned, db: str) -> None:
    pipeline = f"{db}_PIPELINE"
    for need in schema_needs([], migrates=True):
        schema = f"{db}.{need.schema}"
        assert all(made.may(pipeline, one, "SCHEMA", schema) for one in need.on_schema), need
    assert all(made.may(pipeline, one, "DATABASE", db) for one in database_needs([], migrates=True))
    makers = {
        (privilege, name): {role for role, held in made.grants.items() if (privilege, kind, name) in held}
        for privilege, kind, name in (
            ("CREATE SCHEMA", "DATABASE", db),
            ("CREATE TABLE", "SCHEMA", f"{db}.RAW"),
            ("CREATE TABLE", "SCHEMA", f"{db}.OPS"),
        )
    }
    assert set(map(frozenset, makers.values())) == {frozenset({pipeline})}


def test_bulk_loads_may_make_stages_in_the_schema_of_a_session_and_in_no_other(made: Provisioned, db: str) -> None:
    stages = {
        (role, one[0], one[2]) for role, held in made.grants.items() for one in held if one[0].startswith("CREATE S")
    }
    assert {(role, name) for role, privilege, name in stages if privilege == "CREATE STAGE"} == {
        (f"{db}_{role}", f"{db}.{SESSION_SCHEMA.upper()}") for role in ("LOADER", "ENRICHER")
    }


def test_what_is_granted_on_future_tables_is_granted_on_those_there_are(environment: str) -> None:
    forms = [given for form, given in map(form_of, expanded(SETUP, environment)) if form == "grant on many"]
    granted = {
        which: {(one["privileges"], one["kind"], one["name"], one["role"]) for one in forms if one["which"] == which}
        for which in ("ALL", "FUTURE")
    }
    assert granted["ALL"] == {one for one in granted["FUTURE"] if one[0] != "OWNERSHIP"}


def test_a_reader_reads_marts_and_answers_and_writes_nothing(made: Provisioned, db: str) -> None:
    reader = f"{db}_READER"
    held = made.grants[reader] | made.future[reader]
    assert {one[0] for one in held} == {"USAGE", "SELECT"}
    assert {one[2] for one in held if one[1] in ("SCHEMA", "TABLE", "VIEW")} == {f"{db}.MARTS", f"{db}.ENRICHED"}
    assert list(made.roles(reader)) == [reader]


@pytest.mark.parametrize(
    ("role", "privilege", "schema"),
    [
        ("LOADER", "SELECT", "MARTS"),
        ("LOADER", "SELECT", "ENRICHED"),
        ("LOADER", "OWNERSHIP", "RAW"),
        ("LOADER", "OWNERSHIP", "OPS"),
        ("ENRICHER", "OWNERSHIP", "OPS"),
        ("ENRICHER", "UPDATE", "RAW"),
        ("ENRICHER", "INSERT", "MARTS"),
        ("TRANSFORMER", "INSERT", "RAW"),
        ("TRANSFORMER", "DELETE", "ENRICHED"),
        ("TRANSFORMER", "SELECT", "OPS"),
        ("READER", "SELECT", "RAW"),
        ("READER", "SELECT", "OPS"),
    ],
)
def test_no_role_holds_what_its_stage_does_not_take(
    made: Provisioned, db: str, role: str, privilege: str, schema: str
) -> None:
    assert not made.may_on_tables(f"{db}_{role}", privilege, f"{db}.{schema}")


def test_only_who_asks_may_use_cortex_and_only_a_whole_run_sees_what_it_cost(made: Provisioned, db: str) -> None:
    assert {role for role, held in made.grants.items() if any(one[1] == "ACCOUNT" for one in held)} == {
        f"{db}_ENRICHER"
    }
    database_roles = {(role, one[2]) for role, held in made.grants.items() for one in held if one[1] == "DATABASE_ROLE"}
    assert database_roles == {
        (f"{db}_ENRICHER", "SNOWFLAKE.CORTEX_USER"),
        (f"{db}_PIPELINE", "SNOWFLAKE.USAGE_VIEWER"),
    }


# --- what is left to be done by hand ----------------------------------------------------------------------------------


def test_what_is_commented_out_is_sql_without_a_secret(environment: str) -> None:
    text = commented(SETUP.read_text(encoding="utf-8"))
    heading = "".join(re.findall(r"^SET .*?;", SETUP.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE))
    lines = expanded(SETUP, environment, heading + text)
    assert [line.split(" SNOWFLAKE")[0] for line in lines] == [
        "CALL",
        "GRANT APPLICATION ROLE",
        "USE ROLE USERADMIN",
        f"CREATE USER IF NOT EXISTS {DATABASES[environment]}_SERVICE TYPE = SERVICE "
        f"DEFAULT_ROLE = '{DATABASES[environment]}_PIPELINE' "
        f"DEFAULT_WAREHOUSE = '{DATABASES[environment]}_INGEST_WH'",
        f"ALTER USER {DATABASES[environment]}_SERVICE SET RSA_PUBLIC_KEY = "
        "'<the public key, without its first and last line>'",
        "USE ROLE SECURITYADMIN",
        f"GRANT ROLE {DATABASES[environment]}_PIPELINE TO USER {DATABASES[environment]}_SERVICE",
    ]
    for line in lines:
        assert sqlglot.parse_one(line, read="snowflake") is not None
    assert "PASSWORD" not in text.upper()


def test_the_models_named_for_a_grant_are_those_that_are_asked_for() -> None:
    text = commented(SETUP.read_text(encoding="utf-8"))
    asked = {one.model.upper() for one in questions(Settings()) if one.model}
    assert set(re.findall(r'"CORTEX-MODEL-ROLE-([^"]+)"', text)) == asked


# --- the twin ---------------------------------------------------------------------------------------------------------


def dropped(environment: str) -> Iterator[tuple[str, str]]:
    """Kind and name of what the twin drops, in its order."""
    for form, given in map(form_of, expanded(TEARDOWN, environment)):
        if form != "use role":
            assert form == "drop"
            yield given["kind"], given["name"]


def test_the_twin_drops_exactly_what_was_made(made: Provisioned, environment: str) -> None:
    gone = list(dropped(environment))
    assert len(gone) == len(set(gone))
    # Schemas go with their database; grants go with the role, or the object, that they are of.
    assert set(gone) == {(kind, name) for kind, names in made.objects.items() if kind != "SCHEMA" for name in names}
    assert all(schema.split(".")[0] in made.objects["DATABASE"] for schema in made.objects["SCHEMA"])


def test_every_grant_goes_with_what_the_twin_drops(made: Provisioned, environment: str) -> None:
    gone = set(dropped(environment))
    for held in (made.grants, made.future):
        assert all(("ROLE", role) in gone for role in held)
    assert all(("ROLE", member) in gone for members in made.members.values() for member in members)


def test_the_twin_drops_in_an_order_that_works(made: Provisioned, environment: str, db: str) -> None:
    order = list(dropped(environment))
    kinds = [kind for kind, _ in order]
    assert kinds == sorted(kinds, key=["DATABASE", "WAREHOUSE", "RESOURCE MONITOR", "ROLE"].index)
    roles = [name for kind, name in order if kind == "ROLE"]
    assert all(roles.index(f"{db}_PIPELINE") < roles.index(one) for one in made.members[f"{db}_PIPELINE"])


def test_the_twin_drops_as_a_role_that_may(environment: str) -> None:
    role, seen = "", set()
    for form, given in map(form_of, expanded(TEARDOWN, environment)):
        role = given["name"] if form == "use role" else role
        if form == "drop":
            seen.add((given["kind"], role))
    assert seen == {
        ("DATABASE", "SYSADMIN"),  # who made it, and so owns it
        ("WAREHOUSE", "SYSADMIN"),
        ("RESOURCE MONITOR", "ACCOUNTADMIN"),
        ("ROLE", "SECURITYADMIN"),  # a role that is named in future grants takes MANAGE GRANTS
    }


# --- a stand-in -------------------------------------------------------------------------------------------------------

#: What fakesnow 0.12.1 does not run, DROP DATABASE besides; so of the twin nothing is run, only read.
NOT_IN_FAKESNOW = {
    "create role": "no roles",
    "create warehouse": "one warehouse, which is always there",
    "create resource monitor": "no resource monitors",
    "set monitor": "no resource monitors",
    "grant role": "no grants",
    "grant database role": "no grants",
    "grant on account": "no grants",
    "grant on object": "no grants",
    "grant on many": "no grants",
}


def test_what_a_stand_in_can_run_may_be_run_twice_and_leaves_what_is_there(environment: str, db: str) -> None:
    with fakesnow.patch():
        cursor = snowflake.connector.connect(user="administrator", account="stand-in").cursor()
        assert _refused(cursor, environment) == NOT_IN_FAKESNOW.keys()
        cursor.execute(f"CREATE TABLE {db}.RAW.ITEMS (id BIGINT)")
        cursor.execute(f"INSERT INTO {db}.RAW.ITEMS VALUES (1)")
        assert _refused(cursor, environment) == NOT_IN_FAKESNOW.keys()
        assert cursor.execute(f"SELECT id FROM {db}.RAW.ITEMS").fetchall() == [(1,)]
        schemas = {row[1] for row in cursor.execute(f"SHOW SCHEMAS IN DATABASE {db}").fetchall()}
    assert {name.lower() for name in schemas} >= set(SCHEMAS)


def _refused(cursor: SnowflakeCursor, environment: str) -> set[str]:
    """The forms of those statements of the script that the stand-in does not run."""
    refused = set()
    for line in expanded(SETUP, environment):
        try:
            cursor.execute(line)
        except ProgrammingError:
            refused.add(form_of(line)[0])
    return refused


def _may(made: Provisioned, role: str, db: str, privilege: str, schema: str) -> bool:
    name = f"{db}.{schema.upper()}"
    if not made.may(role, "USAGE", "SCHEMA", name):
        return False
    if privilege.startswith("CREATE "):
        return made.may(role, privilege, "SCHEMA", name)
    return made.may_on_tables(role, privilege, name)
