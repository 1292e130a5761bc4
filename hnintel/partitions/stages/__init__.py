"""One file a stage of a day; this folder is the registry, and a file's name is the stage's name."""
