UPDATE ops.lease_turn SET taken = taken + 1
