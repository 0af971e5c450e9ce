CREATE INDEX by_state ON packet_table_tracking (state, number)
