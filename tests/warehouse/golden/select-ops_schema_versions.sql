SELECT version FROM ops.schema_versions
