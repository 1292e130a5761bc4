"""One file an enrichment; this folder is the registry, and a file's name is the enrichment's name."""
