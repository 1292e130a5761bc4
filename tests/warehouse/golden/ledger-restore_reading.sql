-- A row that was set aside, and speaks of another source from here on, goes on from what the ledger has of that one.
-- Parameters: day, name of that source's own row, both again, day, stage, source.
UPDATE ops.partitions SET
    attempts = coalesce((SELECT max(own.attempts) FROM ops.partitions AS own WHERE own.day = ? AND own.stage = ?), 0),
    row_count = (SELECT max(own.row_count) FROM ops.partitions AS own WHERE own.day = ? AND own.stage = ?)
WHERE day = ? AND stage = ? AND source <> ?
