CREATE PROCEDURE IF NOT EXISTS report_of_packet(IN of_packet CHAR(36))
SQL SECURITY INVOKER
COMMENT 'how many messages of a packet there are by method, status, reason and response, wherever they are stored'
BEGIN
    DECLARE packet_number INT UNSIGNED DEFAULT NULL;
    SELECT number INTO packet_number FROM data_packet WHERE id = UNHEX(REPLACE(of_packet, '-', ''));
    IF packet_number IS NULL THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'there is no packet with this id';
    END IF;
    CALL begin_recipients();
    CALL collect_recipients(packet_number);
    SELECT method, status, reason, response, COUNT(*) AS messages
    FROM recipients GROUP BY method, status, reason, response ORDER BY method, status, reason, response;
    DROP TEMPORARY TABLE recipients;
END
