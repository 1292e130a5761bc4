-- Drops everything that snowflake.sql created for an environment, with all its data. Safe to run twice.
-- UNDROP DATABASE restores a dropped database while its Time Travel lasts (a day by default).
-- Grants are dropped with their roles, future grants with their schemas; drop the service user by hand.

SET environment = 'dev';  -- dev, staging or prod: what is to go

SET db = CASE $environment
    WHEN 'dev' THEN 'HN_INTELLIGENCE_DEV'
    WHEN 'staging' THEN 'HN_INTELLIGENCE_STAGING'
    WHEN 'prod' THEN 'HN_INTELLIGENCE'
END;

SET ingest_wh = $db || '_INGEST_WH';
SET enrich_wh = $db || '_ENRICH_WH';
SET transform_wh = $db || '_TRANSFORM_WH';
SET monitor = $db || '_MONITOR';

SET loader = $db || '_LOADER';
SET enricher = $db || '_ENRICHER';
SET transformer = $db || '_TRANSFORMER';
SET reader = $db || '_READER';
SET pipeline = $db || '_PIPELINE';

-- The database first, with its schemas, tables and future grants, before the roles that own its tables.

USE ROLE SYSADMIN;

DROP DATABASE IF EXISTS IDENTIFIER($db);

DROP WAREHOUSE IF EXISTS IDENTIFIER($ingest_wh);

DROP WAREHOUSE IF EXISTS IDENTIFIER($enrich_wh);

DROP WAREHOUSE IF EXISTS IDENTIFIER($transform_wh);

-- The monitor after the warehouses that use it.

USE ROLE ACCOUNTADMIN;

DROP RESOURCE MONITOR IF EXISTS IDENTIFIER($monitor);

-- Roles last, the pipeline role before the roles it has. SECURITYADMIN is needed for roles that future grants name.

USE ROLE SECURITYADMIN;

DROP ROLE IF EXISTS IDENTIFIER($pipeline);

DROP ROLE IF EXISTS IDENTIFIER($reader);

DROP ROLE IF EXISTS IDENTIFIER($transformer);

DROP ROLE IF EXISTS IDENTIFIER($enricher);

DROP ROLE IF EXISTS IDENTIFIER($loader);
