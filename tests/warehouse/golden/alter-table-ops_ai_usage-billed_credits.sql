ALTER TABLE ops.ai_usage ADD COLUMN IF NOT EXISTS billed_credits DOUBLE
