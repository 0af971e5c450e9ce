CREATE PROCEDURE IF NOT EXISTS recipients_of_packet(IN of_packet CHAR(36))
SQL SECURITY INVOKER
COMMENT 'the messages of a packet one by one, wherever they are stored'
BEGIN
    DECLARE packet_number INT UNSIGNED DEFAULT NULL;
    SELECT number INTO packet_number FROM data_packet WHERE id = UNHEX(REPLACE(of_packet, '-', ''));
    IF packet_number IS NULL THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'there is no packet with this id';
    END IF;
    CALL begin_recipients();
    CALL collect_recipients(packet_number);
    SELECT slot, method, contact, status, reason, response, sent_at FROM recipients ORDER BY slot;
    DROP TEMPORARY TABLE recipients;
END
