DELETE FROM ops.ai_reservations WHERE run_id = ? AND day = ? AND stage = ?
