-- Takes away what snowflake.sql made for one environment, with all data in it. Safe to run twice.
-- A dropped database can be had back with UNDROP DATABASE for as long as its Time Travel lasts (a day by default).
-- Grants go with their roles, future grants with their schemas; the service user, made by hand, is dropped by hand.

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

-- The database first, with its schemas, tables and future grants: tables do not outlive the roles that own them.

USE ROLE SYSADMIN;

DROP DATABASE IF EXISTS IDENTIFIER($db);

DROP WAREHOUSE IF EXISTS IDENTIFIER($ingest_wh);

DROP WAREHOUSE IF EXISTS IDENTIFIER($enrich_wh);

DROP WAREHOUSE IF EXISTS IDENTIFIER($transform_wh);

-- The monitor when no warehouse has it any more.

USE ROLE ACCOUNTADMIN;

DROP RESOURCE MONITOR IF EXISTS IDENTIFIER($monitor);

-- Roles last, and the one that holds others before those. SECURITYADMIN: a role that future grants name can be dropped by no less.

USE ROLE SECURITYADMIN;

DROP ROLE IF EXISTS IDENTIFIER($pipeline);

DROP ROLE IF EXISTS IDENTIFIER($reader);

DROP ROLE IF EXISTS IDENTIFIER($transformer);

DROP ROLE IF EXISTS IDENTIFIER($enricher);

DROP ROLE IF EXISTS IDENTIFIER($loader);
