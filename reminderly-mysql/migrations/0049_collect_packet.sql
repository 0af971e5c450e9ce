CREATE PROCEDURE IF NOT EXISTS collect_packet(IN of_packet CHAR(36))
SQL SECURITY INVOKER
COMMENT 'makes the temporary table recipients, with the messages of one packet'
BEGIN
    DECLARE packet_number INT UNSIGNED DEFAULT NULL;
    SELECT number INTO packet_number FROM data_packet WHERE id = UNHEX(REPLACE(of_packet, '-', ''));
    IF packet_number IS NULL THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'there is no packet with this id';
    END IF;
    CALL begin_recipients();
    CALL collect_recipients(packet_number);
END
