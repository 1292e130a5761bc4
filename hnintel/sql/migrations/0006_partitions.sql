-- What a partition was made of, so that it can be told when that has changed. NULL: made before this was kept.
ALTER TABLE ops.partitions ADD COLUMN IF NOT EXISTS source VARCHAR;    -- as the user named it: live, sample, replay:PATH

ALTER TABLE ops.partitions ADD COLUMN IF NOT EXISTS inputs VARCHAR;    -- hash of the rows that the stage read
