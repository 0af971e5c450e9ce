CREATE PROCEDURE IF NOT EXISTS recipients_of_packet(IN of_packet CHAR(36))
SQL SECURITY INVOKER
COMMENT 'the messages of a packet one by one, wherever they are stored'
BEGIN
    CALL collect_packet(of_packet);
    SELECT slot, method, contact, status, reason, response, sent_at FROM recipients ORDER BY slot;
    DROP TEMPORARY TABLE recipients;
END
