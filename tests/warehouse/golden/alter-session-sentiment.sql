ALTER SESSION SET QUERY_TAG = '{"app":"hn-intelligence","stage":"enrich","run":"a-run","day":"2026-10-21","enrichment":"sentiment","fingerprint":"f"}'
