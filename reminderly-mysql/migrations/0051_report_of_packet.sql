CREATE PROCEDURE IF NOT EXISTS report_of_packet(IN of_packet CHAR(36))
SQL SECURITY INVOKER
COMMENT 'how many messages of a packet there are by method, status, reason and response, wherever they are stored'
BEGIN
    CALL collect_packet(of_packet);
    SELECT method, status, reason, response, COUNT(*) AS messages
    FROM recipients GROUP BY method, status, reason, response ORDER BY method, status, reason, response;
    DROP TEMPORARY TABLE recipients;
END
