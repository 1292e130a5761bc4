"""The doctor of a Snowflake account, on answers recorded from Snowflake's documentation and on fakesnow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import fakesnow
import pytest
import snowflake.connector

from hnintel.doctor.finding import Finding, mends, missing
from hnintel.doctor.questions import questions
from hnintel.doctor.snowflake.account import Connected, parts, quoted
from hnintel.doctor.snowflake.examine import of_role, stages_by_role
from hnintel.doctor.snowflake.grants import held
from hnintel.doctor.snowflake.needs import STAGES
from hnintel.errors import WarehouseError
from hnintel.settings import Settings
from tests.deployments_sql.provisioned import FORMS
from tests.unit.doctor.recorded_account import RecordedAccount

DB = "HN_INTELLIGENCE_DEV"
PIPELINE = f"{DB}_PIPELINE"


@pytest.fixture
def account() -> RecordedAccount:
    """Return an account that deployments/snowflake.sql set up, after a first run."""
    one = RecordedAccount()
    one.objects = {
        f"{DB}.RAW": [("ITEMS", "TABLE", PIPELINE)],
        f"{DB}.ENRICHED": [("TOPIC", "TABLE", f"{DB}_ENRICHER"), ("TOPIC_CURRENT", "VIEW", f"{DB}_ENRICHER")],
        f"{DB}.OPS": [("PARTITIONS", "TABLE", PIPELINE)],
        f"{DB}.MARTS": [("STORIES", "TABLE", f"{DB}_TRANSFORMER")],
    }
    return one


def settings(**given: Any) -> Settings:
    """Return the settings of a run on that account."""
    return Settings(
        **{
            "warehouse": "snowflake",
            "environment": "dev",
            "snowflake_user": "HN_SERVICE",
            "snowflake_role": PIPELINE,
            "snowflake_warehouse_ingest": f"{DB}_INGEST_WH",
            "snowflake_warehouse_enrich": f"{DB}_ENRICH_WH",
            "snowflake_warehouse_transform": f"{DB}_TRANSFORM_WH",
            **given,
        }
    )


def examined(account: RecordedAccount, ask: bool = False, **given: Any) -> dict[str, Finding]:
    """Return the findings by name."""
    chosen = settings(**given)
    found = list(of_role(account, chosen, chosen.snowflake_role, STAGES, questions(chosen), ask))
    assert len({one.name for one in found}) == len(found)
    return {one.name: one for one in found}


def test_nothing_is_missing_in_an_account_that_the_script_set_up(account: RecordedAccount) -> None:
    found = examined(account)
    assert [one for one in found.values() if one.outcome != "ok"] == []
    assert list(found)[:6] == [
        "role",
        "grants",
        "warehouse for ingest",
        "warehouse for enrich",
        "warehouse for transform",
        "database",
    ]
    assert found["AI_CLASSIFY"].detail == "may be called (for sentiment, topic)"
    assert found["grants"].detail == f"of {PIPELINE}, {DB}_ENRICHER, {DB}_LOADER, {DB}_TRANSFORMER and PUBLIC"


def test_nothing_is_missing_before_the_first_run_either() -> None:
    assert missing(examined(RecordedAccount()).values()) == []


def test_without_ask_no_model_is_called_and_no_warehouse_resumes(account: RecordedAccount) -> None:
    examined(account)
    assert all(re.match(r"SHOW |EXPLAIN |USE ROLE |SELECT CURRENT_", one) for one in account.said)


def test_with_ask_each_function_is_really_called(account: RecordedAccount) -> None:
    found = examined(account, ask=True)
    asked = [one for one in account.said if one.startswith("SELECT AI_")]
    assert {re.match(r"SELECT (AI_\w+)", one).group(1) for one in asked} == account.functions  # type: ignore[union-attr]
    assert account.said.index(f"USE WAREHOUSE {DB}_ENRICH_WH") < account.said.index(asked[0])
    assert found["AI_COMPLETE"].detail.startswith("answers (for ")


@pytest.mark.parametrize(
    ("function", "answer", "told"),
    [
        ("AI_COMPLETE", '{"error": "unknown model", "value": null}', "no answer by claude-haiku-4-5: unknown model ("),
        ("AI_CLASSIFY", None, "no answer: NULL (for "),
        ("AI_AGG", None, "no answer: NULL (for "),
    ],
)
def test_with_ask_a_function_that_fails_without_an_error_is_missing(
    account: RecordedAccount, function: str, answer: str | None, told: str
) -> None:
    account.answers[function] = answer
    one = examined(account, ask=True)[function]
    assert one.outcome == "missing"
    assert one.detail.startswith(told)


def test_uncountable_tokens_are_only_a_warning(account: RecordedAccount) -> None:
    account.answers["AI_COUNT_TOKENS"] = None
    assert examined(account, ask=True)["AI_COUNT_TOKENS"].outcome == "warning"


def test_the_checked_call_is_that_of_a_run_with_error_details() -> None:
    chosen = settings(cortex_models={"briefing": "llama3.1-8b"})
    tried = [one for one in questions(chosen) if one.function in ("AI_CLASSIFY", "AI_COMPLETE")]
    assert tried
    assert all("return_error_details => TRUE) AS answer" in one.sql for one in tried)
    assert [one.model for one in tried if one.asker == "briefing"] == ["llama3.1-8b"]


# --- who ------------------------------------------------------------------------------------------------------------


def test_a_role_that_the_user_lacks_is_reported_with_its_grant_and_ends_the_checks(account: RecordedAccount) -> None:
    found = examined(account, snowflake_role="SOMEBODY")
    assert list(found) == ["role", "everything else"]
    assert found["role"].mends == ("GRANT ROLE SOMEBODY TO USER HN_SERVICE;",)
    assert found["everything else"].outcome == "skipped"


def test_without_a_role_setting_the_users_default_role_counts(account: RecordedAccount) -> None:
    assert examined(account, snowflake_role=None)["role"].detail == f"{PIPELINE}, the user's default role"


def test_a_user_without_a_role_is_reported_with_the_setting_of_a_role(account: RecordedAccount) -> None:
    account.roles, account.role = [], ""
    assert examined(account, snowflake_role=None)["role"].mends == ("export SNOWFLAKE_ROLE=<a role of the user>",)


def test_stages_with_different_roles_are_checked_separately() -> None:
    chosen = settings(snowflake_role_transform="DBT")
    assert stages_by_role(chosen) == {PIPELINE: ("ingest", "enrich"), "DBT": ("transform",)}


def test_the_role_that_migrates_is_checked_even_if_each_stage_has_its_own_role() -> None:
    chosen = settings(**{f"snowflake_role_{stage}": stage for stage in STAGES})
    assert stages_by_role(chosen)[PIPELINE] == ()


def test_the_role_that_migrates_must_create_and_own_all_tables(account: RecordedAccount) -> None:
    assert missing(of_role(account, settings(), PIPELINE, [], [])) == []
    enricher = f"{DB}_ENRICHER"
    account.roles = [enricher]
    found = {one.name: one for one in of_role(account, settings(snowflake_role=enricher), enricher, ["enrich"], [])}
    assert found["schema RAW"].mends == (f"GRANT CREATE TABLE ON SCHEMA {DB}.RAW TO ROLE {enricher};",)
    assert found["tables in OPS"].detail == f"{enricher} lacks OWNERSHIP on PARTITIONS"


@pytest.mark.parametrize(
    ("stage", "role"), [("ingest", "LOADER"), ("enrich", "ENRICHER"), ("transform", "TRANSFORMER")]
)
def test_each_stages_own_role_lacks_nothing_for_its_stage(account: RecordedAccount, stage: Any, role: str) -> None:
    account.roles = [f"{DB}_{role}"]
    found = list(of_role(account, settings(), f"{DB}_{role}", [stage], questions(settings())))
    assert missing(found) == []
    # The ledger of what was billed is read by a whole run.
    assert {one.name for one in found if one.outcome == "warning"} <= {"usage views"}


# --- what is there --------------------------------------------------------------------------------------------------


def test_a_missing_warehouse_is_reported_with_the_statement_that_creates_it(account: RecordedAccount) -> None:
    one = examined(account, snowflake_warehouse_enrich="big_wh")["warehouse for enrich"]
    assert one.outcome == "missing"
    assert one.mends == (
        "CREATE WAREHOUSE IF NOT EXISTS BIG_WH WITH AUTO_SUSPEND = 60 AUTO_RESUME = TRUE;",
        f"GRANT USAGE ON WAREHOUSE BIG_WH TO ROLE {PIPELINE};",
    )


def test_a_warehouse_with_a_similar_name_does_not_count(account: RecordedAccount) -> None:
    account.made.objects["WAREHOUSE"].append("HNXINTELLIGENCE_DEV_ENRICH_WH")
    account.made.objects["WAREHOUSE"].remove(f"{DB}_ENRICH_WH")
    account.public.add(("USAGE", "WAREHOUSE", "HNXINTELLIGENCE_DEV_ENRICH_WH"))
    assert examined(account)["warehouse for enrich"].outcome == "missing"


def test_a_visible_warehouse_without_usage_is_reported_with_its_grant(account: RecordedAccount) -> None:
    account.revoke("ENRICHER", "USAGE", "WAREHOUSE", f"{DB}_ENRICH_WH")
    account.public.add(("MONITOR", "WAREHOUSE", f"{DB}_ENRICH_WH"))
    one = examined(account)["warehouse for enrich"]
    assert one.mends == (f"GRANT USAGE ON WAREHOUSE {DB}_ENRICH_WH TO ROLE {PIPELINE};",)


def test_a_suspended_warehouse_that_does_not_resume_is_reported(account: RecordedAccount) -> None:
    account.asleep_for_good.add(f"{DB}_INGEST_WH")
    assert examined(account)["warehouse for ingest"].mends == (
        f"ALTER WAREHOUSE {DB}_INGEST_WH SET AUTO_RESUME = TRUE;",
    )


def test_without_a_warehouse_setting_the_users_default_warehouse_counts(account: RecordedAccount) -> None:
    assert examined(account, snowflake_warehouse_ingest=None)["warehouse for ingest"].outcome == "missing"
    account.default_warehouse = f"{DB}_INGEST_WH"
    assert examined(account, snowflake_warehouse_ingest=None)["warehouse for ingest"].outcome == "ok"


def test_a_database_of_another_environment_does_not_count(account: RecordedAccount) -> None:
    found = examined(account, environment="staging")
    assert found["database"].mends == (
        "CREATE DATABASE IF NOT EXISTS HN_INTELLIGENCE_STAGING;",
        f"GRANT USAGE ON DATABASE HN_INTELLIGENCE_STAGING TO ROLE {PIPELINE};",
    )
    assert "schema RAW" not in found


def test_a_missing_schema_is_reported_with_the_statements_that_create_and_grant_it(account: RecordedAccount) -> None:
    account.made.objects["SCHEMA"].remove(f"{DB}.MARTS")
    assert examined(account)["schema MARTS"].mends == (
        f"CREATE SCHEMA IF NOT EXISTS {DB}.MARTS;",
        f"GRANT USAGE, CREATE TABLE, CREATE VIEW ON SCHEMA {DB}.MARTS TO ROLE {PIPELINE};",
    )


# --- what is allowed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "grant", "check", "mend"),
    [
        (
            "PIPELINE",
            ("CREATE TABLE", "SCHEMA", f"{DB}.RAW"),
            "schema RAW",
            f"GRANT CREATE TABLE ON SCHEMA {DB}.RAW TO ROLE {PIPELINE};",
        ),
        (
            "TRANSFORMER",
            ("CREATE VIEW", "SCHEMA", f"{DB}.STAGING"),
            "schema STAGING",
            f"GRANT CREATE VIEW ON SCHEMA {DB}.STAGING TO ROLE {PIPELINE};",
        ),
    ],
)
def test_a_missing_privilege_is_reported_with_its_grant(
    account: RecordedAccount, role: str, grant: tuple[str, ...], check: str, mend: str
) -> None:
    account.revoke(role, *grant)
    found = examined(account)
    assert [one.name for one in missing(found.values())] == [check]
    assert found[check].mends == (mend,)


def test_a_missing_privilege_on_the_database_is_reported(account: RecordedAccount) -> None:
    account.revoke("PIPELINE", "CREATE SCHEMA", "DATABASE", DB)
    assert examined(account)["privileges on the database"].mends == (
        f"GRANT CREATE SCHEMA ON DATABASE {DB} TO ROLE {PIPELINE};",
    )


def test_a_table_that_another_role_owns_is_reported(account: RecordedAccount) -> None:
    account.objects[f"{DB}.ENRICHED"].append(("OLD", "TABLE", "ACCOUNTADMIN"))
    account.public.add(("SELECT", "TABLE", f"{DB}.ENRICHED.OLD"))
    one = examined(account)["tables in ENRICHED"]
    assert one.detail == f"{PIPELINE} lacks OWNERSHIP on OLD"
    assert (
        one.mends[0] == f"GRANT OWNERSHIP ON ALL TABLES IN SCHEMA {DB}.ENRICHED TO ROLE {PIPELINE} COPY CURRENT GRANTS;"
    )


def test_owning_a_schema_is_as_good_as_every_privilege_on_it(account: RecordedAccount) -> None:
    account.revoke("PIPELINE", "CREATE TABLE", "SCHEMA", f"{DB}.RAW")
    account.made.grants[f"{DB}_LOADER"].add(("OWNERSHIP", "SCHEMA", f"{DB}.RAW"))
    assert examined(account)["schema RAW"].outcome == "ok"


def test_grants_are_followed_through_roles_of_roles(account: RecordedAccount) -> None:
    account.made.members["BOSS"] = [PIPELINE]
    found = held(account, "BOSS")
    assert found.roles == {"BOSS", PIPELINE, f"{DB}_LOADER", f"{DB}_ENRICHER", f"{DB}_TRANSFORMER", "PUBLIC"}
    assert found.has("USAGE", "WAREHOUSE", f"{DB}_ENRICH_WH")
    assert not found.has("OPERATE", "WAREHOUSE", f"{DB}_ENRICH_WH")


def test_a_role_whose_grants_cannot_be_listed_is_reported(account: RecordedAccount) -> None:
    account.unseen_roles.add(f"{DB}_LOADER")
    found = examined(account)
    assert found["grants"].outcome == "warning"
    assert f"{DB}_LOADER" in found["grants"].detail


def test_without_a_list_of_its_own_grants_no_privilege_is_reported_missing(account: RecordedAccount) -> None:
    account.unseen_roles.add(PIPELINE)
    found = examined(account)
    assert found["grants"].detail.startswith(f"the grants of {PIPELINE} cannot be listed, so no privilege was checked")
    assert missing(found.values()) == []


# --- Cortex -----------------------------------------------------------------------------------------------------------


def test_without_the_cortex_grants_of_public_the_roles_own_grants_suffice(account: RecordedAccount) -> None:
    account.public = {("USAGE", "APPLICATION_ROLE", 'SNOWFLAKE."CORTEX-MODEL-ROLE-ALL"')}
    assert missing(examined(account).values()) == []


@pytest.mark.parametrize(
    ("gone", "mend"),
    [
        (("USE AI FUNCTIONS", "ACCOUNT", ""), f"GRANT USE AI FUNCTIONS ON ACCOUNT TO ROLE {PIPELINE};"),
        (
            ("USAGE", "DATABASE_ROLE", "SNOWFLAKE.CORTEX_USER"),
            f"GRANT DATABASE ROLE SNOWFLAKE.CORTEX_USER TO ROLE {PIPELINE};",
        ),
    ],
)
def test_each_of_the_two_grants_to_call_cortex_is_reported(
    account: RecordedAccount, gone: tuple[str, ...], mend: str
) -> None:
    account.public = set()
    account.revoke("ENRICHER", *gone)
    found = examined(account)
    for function in account.functions:
        assert found[function].outcome == "missing"
        assert found[function].mends == (mend,)


def test_a_privilege_for_a_function_suffices_for_that_function(account: RecordedAccount) -> None:
    account.public = set()
    account.revoke("ENRICHER", "USE AI FUNCTIONS", "ACCOUNT", "")
    account.made.grants[f"{DB}_ENRICHER"].add(("USE AI FUNCTION AI_CLASSIFY", "ACCOUNT", ""))
    found = examined(account)
    assert found["AI_CLASSIFY"].outcome == "ok"
    assert found["AI_COMPLETE"].outcome == "missing"


def test_the_smaller_cortex_role_suffices_except_for_aggregates(account: RecordedAccount) -> None:
    account.public = set()
    account.revoke("ENRICHER", "USAGE", "DATABASE_ROLE", "SNOWFLAKE.CORTEX_USER")
    account.made.grants[f"{DB}_ENRICHER"].add(("USAGE", "DATABASE_ROLE", "SNOWFLAKE.AI_FUNCTIONS_USER"))
    found = examined(account)
    assert found["AI_COMPLETE"].outcome == "ok"
    assert found["AI_AGG"].mends == (f"GRANT DATABASE ROLE SNOWFLAKE.CORTEX_USER TO ROLE {PIPELINE};",)


def test_a_function_that_the_region_lacks_is_reported_with_its_enrichments(account: RecordedAccount) -> None:
    account.functions.remove("AI_CLASSIFY")
    one = examined(account)["AI_CLASSIFY"]
    assert one.outcome == "missing"
    assert one.detail.endswith("the account has no such function (AI_CLASSIFY) (for sentiment, topic)")


def test_a_forbidden_model_of_the_settings_is_reported_with_its_grant(account: RecordedAccount) -> None:
    account.allowlist, account.public = (
        None,
        {("USAGE", "APPLICATION_ROLE", 'SNOWFLAKE."CORTEX-MODEL-ROLE-LLAMA3.1-8B"')},
    )
    one = examined(account, cortex_models={"takeaway": "mistral-large2"})["model mistral-large2"]
    assert one.outcome == "missing"
    assert one.detail.endswith("(for takeaway)")
    assert one.mends == (f'GRANT APPLICATION ROLE SNOWFLAKE."CORTEX-MODEL-ROLE-MISTRAL-LARGE2" TO ROLE {PIPELINE};',)


def test_the_fall_back_model_is_checked_too(account: RecordedAccount) -> None:
    found = examined(account, cortex_fallback_model="llama3.1-8b")
    assert found["model llama3.1-8b"].detail.endswith("(for HNINTEL_CORTEX_FALLBACK_MODEL)")


def test_a_model_that_is_allowed_but_not_listed_may_be_of_another_region(account: RecordedAccount) -> None:
    one = examined(account, cortex_models={"takeaway": "mistral-large2"})["model mistral-large2"]
    assert (one.outcome, "region" in one.detail) == ("warning", True)


def test_a_model_near_its_end_of_life_is_a_warning(account: RecordedAccount) -> None:
    account.models = {"CLAUDE-HAIKU-4-5": "LEGACY"}
    one = examined(account)["model claude-haiku-4-5"]
    assert (one.outcome, one.detail.split(":")[0]) == ("warning", "is LEGACY, and ends on 2027-01-31")


def test_without_a_list_of_models_the_list_of_allowed_models_counts(account: RecordedAccount) -> None:
    account.models, account.public = None, set()
    assert examined(account)["model claude-haiku-4-5"].outcome == "ok"
    account.allowlist = "mistral-large2, claude-haiku-4-5"
    assert examined(account)["model claude-haiku-4-5"].outcome == "ok"
    account.allowlist = "None"
    assert examined(account)["model claude-haiku-4-5"].outcome == "missing"


def test_without_any_list_of_models_the_doctor_says_so(account: RecordedAccount) -> None:
    account.models, account.public, account.allowlist = None, set(), None
    one = examined(account)["model claude-haiku-4-5"]
    assert (one.outcome, "--ask sends it a question" in one.detail) == ("warning", True)


def test_without_the_usage_view_a_run_works_and_its_cost_is_an_estimate(account: RecordedAccount) -> None:
    account.revoke("PIPELINE", "USAGE", "DATABASE_ROLE", "SNOWFLAKE.USAGE_VIEWER")
    one = examined(account)["usage views"]
    assert one.outcome == "warning"
    assert one.mends == (f"GRANT DATABASE ROLE SNOWFLAKE.USAGE_VIEWER TO ROLE {PIPELINE};",)


def test_every_printed_grant_has_the_form_of_the_scripts_grants(account: RecordedAccount) -> None:
    account.public, account.allowlist = set(), None
    account.made.grants = {PIPELINE: {("USAGE", "DATABASE", DB), ("USAGE", "SCHEMA", f"{DB}.RAW")}}
    printed = [one for one in mends(examined(account).values()) if one.startswith("GRANT ")]
    forms = [FORMS[name] for name in FORMS if name.startswith("grant")]
    forms.append(r'GRANT APPLICATION ROLE SNOWFLAKE\."CORTEX-MODEL-ROLE-[A-Z0-9.-]+" TO ROLE \w+')
    assert len(printed) > 8
    assert [one for one in printed if not any(re.fullmatch(form, one.rstrip(";")) for form in forms)] == []


# --- names, and a stand-in --------------------------------------------------------------------------------------------


def test_names_are_quoted_and_parsed_as_snowflake_does() -> None:
    assert quoted("big_wh") == "BIG_WH"
    assert quoted('odd "name') == '"odd ""name"'
    assert parts('HN.RAW."odd.one"') == ("HN", "RAW", "odd.one")
    assert parts('SNOWFLAKE."CORTEX-MODEL-ROLE-LLAMA3.1-8B"') == ("SNOWFLAKE", "CORTEX-MODEL-ROLE-LLAMA3.1-8B")


def test_through_the_connector_the_doctor_checks_a_stand_in_and_reports_what_it_cannot_see(tmp_path: Path) -> None:
    """fakesnow has databases, schemas and one warehouse; it knows no grants, models or AI functions."""
    with fakesnow.patch():
        connection = snowflake.connector.connect(user="HN_SERVICE", account="stand-in", paramstyle="qmark")
        cursor = connection.cursor()
        cursor.execute(f"CREATE DATABASE {DB}")
        for schema in ("RAW", "ENRICHED", "OPS", "STAGING"):
            cursor.execute(f"CREATE SCHEMA {DB}.{schema}")
        chosen = settings(snowflake_warehouse_ingest="FAKESNOW_WAREHOUSE")
        found = {one.name: one for one in of_role(Connected(connection), chosen, PIPELINE, STAGES, questions(chosen))}
    assert {name: found[name].outcome for name in ("role", "grants", "database")} == {
        "role": "ok",
        "grants": "warning",
        "database": "ok",
    }
    assert found["warehouse for ingest"].detail == "FAKESNOW_WAREHOUSE, X-Small, started"
    assert found["warehouse for enrich"].outcome == "missing"
    assert found["schema RAW"].outcome == "ok"
    assert found["schema MARTS"].mends[0] == f"CREATE SCHEMA IF NOT EXISTS {DB}.MARTS;"
    assert found["AI_CLASSIFY"].outcome == "missing"


def test_an_error_of_the_connector_is_one_line_without_the_statement() -> None:
    with fakesnow.patch():
        account = Connected(snowflake.connector.connect(user="HN_SERVICE", account="stand-in", paramstyle="qmark"))
        with pytest.raises(WarehouseError) as told:
            account.execute("SELECT * FROM a_page_of_text")
    assert "\n" not in str(told.value)
    assert "SELECT" not in str(told.value)
