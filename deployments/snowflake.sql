-- Sets up a Snowflake account before the first run: a database, its schemas, three warehouses under a resource monitor,
-- and roles with the privileges that their stage needs and no more. Safe to run twice: it creates what is missing, and
-- replaces and drops nothing. snowflake_teardown.sql drops all of it.
--
-- Run it whole, in a worksheet or with `snow sql -f deployments/snowflake.sql`, as a user who may use ACCOUNTADMIN.
-- docs/snowflake.md describes each part; `python -m hnintel doctor --warehouse snowflake` reports what is missing.

SET environment = 'dev';  -- dev, staging or prod: the one line to change

-- All names begin with the database's name. Any other environment gives NULL, and the script stops.
SET db = CASE $environment
    WHEN 'dev' THEN 'HN_INTELLIGENCE_DEV'
    WHEN 'staging' THEN 'HN_INTELLIGENCE_STAGING'
    WHEN 'prod' THEN 'HN_INTELLIGENCE'
END;

SET raw = $db || '.RAW';                 -- what was read
SET enriched = $db || '.ENRICHED';       -- what was answered
SET ops = $db || '.OPS';                 -- the ledger; temporary tables of a run
SET staging = $db || '.STAGING';         -- dbt's views: staging and intermediate
SET marts = $db || '.MARTS';             -- what dbt builds for others

SET ingest_wh = $db || '_INGEST_WH';
SET enrich_wh = $db || '_ENRICH_WH';
SET transform_wh = $db || '_TRANSFORM_WH';
SET monitor = $db || '_MONITOR';

SET loader = $db || '_LOADER';
SET enricher = $db || '_ENRICHER';
SET transformer = $db || '_TRANSFORMER';
SET reader = $db || '_READER';
SET pipeline = $db || '_PIPELINE';       -- the first three together: SNOWFLAKE_ROLE of a run

-- Roles -----------------------------------------------------------------------------------------------------------------

USE ROLE USERADMIN;

CREATE ROLE IF NOT EXISTS IDENTIFIER($loader) COMMENT = 'hn-intelligence: loads raw, keeps the ledger';

CREATE ROLE IF NOT EXISTS IDENTIFIER($enricher) COMMENT = 'hn-intelligence: asks Cortex, keeps the answers';

CREATE ROLE IF NOT EXISTS IDENTIFIER($transformer) COMMENT = 'hn-intelligence: dbt';

CREATE ROLE IF NOT EXISTS IDENTIFIER($reader) COMMENT = 'hn-intelligence: reads marts and answers';

CREATE ROLE IF NOT EXISTS IDENTIFIER($pipeline) COMMENT = 'hn-intelligence: one whole run';

-- Database and schemas --------------------------------------------------------------------------------------------------

USE ROLE SYSADMIN;

CREATE DATABASE IF NOT EXISTS IDENTIFIER($db) COMMENT = 'hn-intelligence';

CREATE SCHEMA IF NOT EXISTS IDENTIFIER($raw);

CREATE SCHEMA IF NOT EXISTS IDENTIFIER($enriched);

CREATE SCHEMA IF NOT EXISTS IDENTIFIER($ops);

CREATE SCHEMA IF NOT EXISTS IDENTIFIER($staging);

CREATE SCHEMA IF NOT EXISTS IDENTIFIER($marts);

-- Warehouses: a warehouse for each stage, with its own bill, size and queue. It suspends after a minute without work.

CREATE WAREHOUSE IF NOT EXISTS IDENTIFIER($ingest_wh) WITH
    WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60 AUTO_RESUME = TRUE INITIALLY_SUSPENDED = TRUE;

-- A larger warehouse does not make questions faster: Cortex runs outside the warehouse.
CREATE WAREHOUSE IF NOT EXISTS IDENTIFIER($enrich_wh) WITH
    WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60 AUTO_RESUME = TRUE INITIALLY_SUSPENDED = TRUE;

CREATE WAREHOUSE IF NOT EXISTS IDENTIFIER($transform_wh) WITH
    WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60 AUTO_RESUME = TRUE INITIALLY_SUSPENDED = TRUE;

-- Resource monitor: warehouse credits only. It does not see the charges of Cortex; HNINTEL_BUDGET_* limit those.

USE ROLE ACCOUNTADMIN;

CREATE RESOURCE MONITOR IF NOT EXISTS IDENTIFIER($monitor) WITH
    CREDIT_QUOTA = 20 FREQUENCY = MONTHLY START_TIMESTAMP = IMMEDIATELY
    TRIGGERS ON 75 PERCENT DO NOTIFY ON 100 PERCENT DO SUSPEND ON 110 PERCENT DO SUSPEND_IMMEDIATE;

ALTER WAREHOUSE IDENTIFIER($ingest_wh) SET RESOURCE_MONITOR = $monitor;

ALTER WAREHOUSE IDENTIFIER($enrich_wh) SET RESOURCE_MONITOR = $monitor;

ALTER WAREHOUSE IDENTIFIER($transform_wh) SET RESOURCE_MONITOR = $monitor;

-- Who is who ------------------------------------------------------------------------------------------------------------

USE ROLE SECURITYADMIN;

GRANT ROLE IDENTIFIER($loader) TO ROLE IDENTIFIER($pipeline);

GRANT ROLE IDENTIFIER($enricher) TO ROLE IDENTIFIER($pipeline);

GRANT ROLE IDENTIFIER($transformer) TO ROLE IDENTIFIER($pipeline);

GRANT ROLE IDENTIFIER($reader) TO ROLE SYSADMIN;

GRANT ROLE IDENTIFIER($pipeline) TO ROLE SYSADMIN;

-- Who may look into which schema ----------------------------------------------------------------------------------------

GRANT USAGE ON DATABASE IDENTIFIER($db) TO ROLE IDENTIFIER($loader);

GRANT USAGE ON DATABASE IDENTIFIER($db) TO ROLE IDENTIFIER($enricher);

GRANT USAGE ON DATABASE IDENTIFIER($db) TO ROLE IDENTIFIER($transformer);

GRANT USAGE ON DATABASE IDENTIFIER($db) TO ROLE IDENTIFIER($reader);

GRANT USAGE ON SCHEMA IDENTIFIER($raw) TO ROLE IDENTIFIER($loader);

GRANT USAGE ON SCHEMA IDENTIFIER($raw) TO ROLE IDENTIFIER($enricher);

GRANT USAGE ON SCHEMA IDENTIFIER($raw) TO ROLE IDENTIFIER($transformer);

GRANT USAGE ON SCHEMA IDENTIFIER($enriched) TO ROLE IDENTIFIER($enricher);

GRANT USAGE ON SCHEMA IDENTIFIER($enriched) TO ROLE IDENTIFIER($transformer);

GRANT USAGE ON SCHEMA IDENTIFIER($enriched) TO ROLE IDENTIFIER($reader);

GRANT USAGE ON SCHEMA IDENTIFIER($ops) TO ROLE IDENTIFIER($loader);

GRANT USAGE ON SCHEMA IDENTIFIER($ops) TO ROLE IDENTIFIER($enricher);

GRANT USAGE ON SCHEMA IDENTIFIER($staging) TO ROLE IDENTIFIER($transformer);

-- The enricher writes the briefing from dbt's marts.
GRANT USAGE ON SCHEMA IDENTIFIER($staging) TO ROLE IDENTIFIER($enricher);

GRANT USAGE ON SCHEMA IDENTIFIER($marts) TO ROLE IDENTIFIER($enricher);

GRANT USAGE ON SCHEMA IDENTIFIER($marts) TO ROLE IDENTIFIER($transformer);

GRANT USAGE ON SCHEMA IDENTIFIER($marts) TO ROLE IDENTIFIER($reader);

-- Privileges to create. Migrations create and alter the tables of raw, enriched and the ledger, as the pipeline role.
-- `CREATE SCHEMA IF NOT EXISTS`, in the first migration, needs the privilege even where the schema exists; a branch also
-- needs it to create, own and drop its schemas. The roles of stages do not have it.

GRANT CREATE SCHEMA ON DATABASE IDENTIFIER($db) TO ROLE IDENTIFIER($pipeline);

GRANT CREATE TABLE ON SCHEMA IDENTIFIER($raw) TO ROLE IDENTIFIER($pipeline);

GRANT CREATE TABLE ON SCHEMA IDENTIFIER($enriched) TO ROLE IDENTIFIER($pipeline);

GRANT CREATE TABLE ON SCHEMA IDENTIFIER($ops) TO ROLE IDENTIFIER($pipeline);

-- The enrich stage creates the tables and views of enrichments; dbt creates the marts.

GRANT CREATE TABLE, CREATE VIEW ON SCHEMA IDENTIFIER($enriched) TO ROLE IDENTIFIER($enricher);

GRANT CREATE TABLE, CREATE VIEW ON SCHEMA IDENTIFIER($staging) TO ROLE IDENTIFIER($transformer);

GRANT CREATE TABLE, CREATE VIEW ON SCHEMA IDENTIFIER($marts) TO ROLE IDENTIFIER($transformer);

-- Bulk loads use a temporary table, which needs no privilege, and a temporary stage and file format, which need some. They
-- are created in the schema of the session, which is the ledger's.

GRANT CREATE STAGE, CREATE FILE FORMAT ON SCHEMA IDENTIFIER($ops) TO ROLE IDENTIFIER($loader);

GRANT CREATE STAGE, CREATE FILE FORMAT ON SCHEMA IDENTIFIER($ops) TO ROLE IDENTIFIER($enricher);

-- Ownership: the role of a stage owns the tables that the stage alters or replaces, whichever role creates them, so that a
-- stage can run by its own role or by the pipeline role. The pipeline role owns raw and the ledger, and migrates them.

GRANT OWNERSHIP ON FUTURE TABLES IN SCHEMA IDENTIFIER($enriched) TO ROLE IDENTIFIER($enricher);

GRANT OWNERSHIP ON FUTURE VIEWS IN SCHEMA IDENTIFIER($enriched) TO ROLE IDENTIFIER($enricher);

GRANT OWNERSHIP ON FUTURE TABLES IN SCHEMA IDENTIFIER($staging) TO ROLE IDENTIFIER($transformer);

GRANT OWNERSHIP ON FUTURE VIEWS IN SCHEMA IDENTIFIER($staging) TO ROLE IDENTIFIER($transformer);

GRANT OWNERSHIP ON FUTURE TABLES IN SCHEMA IDENTIFIER($marts) TO ROLE IDENTIFIER($transformer);

GRANT OWNERSHIP ON FUTURE VIEWS IN SCHEMA IDENTIFIER($marts) TO ROLE IDENTIFIER($transformer);

-- Reading and writing tables that other roles own, present and future. Rows of raw are deleted when their item is deleted
-- at Hacker News; rows of the ledger (leases, reservations, dead letters) when they are finished. The grant cannot name
-- single tables of the ledger: the first run creates them, and a grant on future tables covers all of a schema.

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA IDENTIFIER($raw) TO ROLE IDENTIFIER($loader);

GRANT SELECT, INSERT, UPDATE, DELETE ON FUTURE TABLES IN SCHEMA IDENTIFIER($raw) TO ROLE IDENTIFIER($loader);

GRANT SELECT ON ALL TABLES IN SCHEMA IDENTIFIER($raw) TO ROLE IDENTIFIER($enricher);

GRANT SELECT ON FUTURE TABLES IN SCHEMA IDENTIFIER($raw) TO ROLE IDENTIFIER($enricher);

GRANT SELECT ON ALL TABLES IN SCHEMA IDENTIFIER($raw) TO ROLE IDENTIFIER($transformer);

GRANT SELECT ON FUTURE TABLES IN SCHEMA IDENTIFIER($raw) TO ROLE IDENTIFIER($transformer);

GRANT SELECT ON ALL TABLES IN SCHEMA IDENTIFIER($enriched) TO ROLE IDENTIFIER($transformer);

GRANT SELECT ON FUTURE TABLES IN SCHEMA IDENTIFIER($enriched) TO ROLE IDENTIFIER($transformer);

GRANT SELECT ON ALL VIEWS IN SCHEMA IDENTIFIER($enriched) TO ROLE IDENTIFIER($transformer);

GRANT SELECT ON FUTURE VIEWS IN SCHEMA IDENTIFIER($enriched) TO ROLE IDENTIFIER($transformer);

GRANT SELECT ON ALL TABLES IN SCHEMA IDENTIFIER($enriched) TO ROLE IDENTIFIER($reader);

GRANT SELECT ON FUTURE TABLES IN SCHEMA IDENTIFIER($enriched) TO ROLE IDENTIFIER($reader);

GRANT SELECT ON ALL VIEWS IN SCHEMA IDENTIFIER($enriched) TO ROLE IDENTIFIER($reader);

GRANT SELECT ON FUTURE VIEWS IN SCHEMA IDENTIFIER($enriched) TO ROLE IDENTIFIER($reader);

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA IDENTIFIER($ops) TO ROLE IDENTIFIER($loader);

GRANT SELECT, INSERT, UPDATE, DELETE ON FUTURE TABLES IN SCHEMA IDENTIFIER($ops) TO ROLE IDENTIFIER($loader);

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA IDENTIFIER($ops) TO ROLE IDENTIFIER($enricher);

GRANT SELECT, INSERT, UPDATE, DELETE ON FUTURE TABLES IN SCHEMA IDENTIFIER($ops) TO ROLE IDENTIFIER($enricher);

GRANT SELECT ON ALL TABLES IN SCHEMA IDENTIFIER($staging) TO ROLE IDENTIFIER($enricher);

GRANT SELECT ON FUTURE TABLES IN SCHEMA IDENTIFIER($staging) TO ROLE IDENTIFIER($enricher);

GRANT SELECT ON ALL VIEWS IN SCHEMA IDENTIFIER($staging) TO ROLE IDENTIFIER($enricher);

GRANT SELECT ON FUTURE VIEWS IN SCHEMA IDENTIFIER($staging) TO ROLE IDENTIFIER($enricher);

GRANT SELECT ON ALL TABLES IN SCHEMA IDENTIFIER($marts) TO ROLE IDENTIFIER($enricher);

GRANT SELECT ON FUTURE TABLES IN SCHEMA IDENTIFIER($marts) TO ROLE IDENTIFIER($enricher);

GRANT SELECT ON ALL TABLES IN SCHEMA IDENTIFIER($marts) TO ROLE IDENTIFIER($reader);

GRANT SELECT ON FUTURE TABLES IN SCHEMA IDENTIFIER($marts) TO ROLE IDENTIFIER($reader);

GRANT SELECT ON ALL VIEWS IN SCHEMA IDENTIFIER($marts) TO ROLE IDENTIFIER($reader);

GRANT SELECT ON FUTURE VIEWS IN SCHEMA IDENTIFIER($marts) TO ROLE IDENTIFIER($reader);

-- Who may use which warehouse -------------------------------------------------------------------------------------------

GRANT USAGE ON WAREHOUSE IDENTIFIER($ingest_wh) TO ROLE IDENTIFIER($loader);

GRANT USAGE ON WAREHOUSE IDENTIFIER($enrich_wh) TO ROLE IDENTIFIER($enricher);

GRANT USAGE ON WAREHOUSE IDENTIFIER($transform_wh) TO ROLE IDENTIFIER($transformer);

GRANT USAGE ON WAREHOUSE IDENTIFIER($transform_wh) TO ROLE IDENTIFIER($reader);

-- Cortex: both grants are needed. PUBLIC has both until an administrator revokes them; this role does not rely on that.
-- CORTEX_USER, not AI_FUNCTIONS_USER: the briefing calls AI_AGG, which the smaller role does not cover.

USE ROLE ACCOUNTADMIN;

GRANT USE AI FUNCTIONS ON ACCOUNT TO ROLE IDENTIFIER($enricher);

GRANT DATABASE ROLE SNOWFLAKE.CORTEX_USER TO ROLE IDENTIFIER($enricher);

-- The charges of Cortex and the warehouses, by query tag: only the usage views of ACCOUNT_USAGE. They cover the whole
-- account, and Snowflake has no smaller role for them. Without this grant everything but the bill works.

GRANT DATABASE ROLE SNOWFLAKE.USAGE_VIEWER TO ROLE IDENTIFIER($pipeline);

-- Models: PUBLIC may use all of them until an administrator changes that. Where models are granted separately, each model
-- of a question needs a grant; the procedure creates the roles of new models and may be called at any time.
--
-- CALL SNOWFLAKE.MODELS.CORTEX_BASE_MODELS_REFRESH();
-- GRANT APPLICATION ROLE SNOWFLAKE."CORTEX-MODEL-ROLE-CLAUDE-HAIKU-4-5" TO ROLE IDENTIFIER($enricher);

-- The user of the runs, with a key pair and no password. Create it by hand, with your public key (docs/snowflake.md).
--
-- USE ROLE USERADMIN;
-- SET service_user = $db || '_SERVICE';
-- CREATE USER IF NOT EXISTS IDENTIFIER($service_user) TYPE = SERVICE DEFAULT_ROLE = $pipeline DEFAULT_WAREHOUSE = $ingest_wh;
-- ALTER USER IDENTIFIER($service_user) SET RSA_PUBLIC_KEY = '<the public key, without its first and last line>';
-- USE ROLE SECURITYADMIN;
-- GRANT ROLE IDENTIFIER($pipeline) TO USER IDENTIFIER($service_user);
