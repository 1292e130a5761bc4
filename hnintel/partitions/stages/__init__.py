"""The registry of stages: one file per stage of a day, named as the stage."""
