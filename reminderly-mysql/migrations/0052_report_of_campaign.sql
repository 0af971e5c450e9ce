CREATE PROCEDURE IF NOT EXISTS report_of_campaign(IN of_campaign INT UNSIGNED, IN first_day DATE, IN last_day DATE)
SQL SECURITY INVOKER
COMMENT 'how many messages of the packets of these days there are by day, method, status, reason and response, wherever they are stored'
BEGIN
    DECLARE packet_number INT UNSIGNED;
    DECLARE is_done BOOLEAN DEFAULT FALSE;
    DECLARE packets CURSOR FOR
        SELECT data_packet.number FROM company_campaigns
        JOIN data_packet ON data_packet.campaign_id = company_campaigns.id
        WHERE company_campaigns.number = of_campaign
        AND LEFT(JSON_VALUE(packet, '$.created_at'), 10) BETWEEN first_day AND last_day;
    DECLARE CONTINUE HANDLER FOR NOT FOUND SET is_done = TRUE;
    CALL begin_recipients();
    OPEN packets;
    every_packet: LOOP
        FETCH packets INTO packet_number;
        IF is_done THEN
            LEAVE every_packet;
        END IF;
        CALL collect_recipients(packet_number);
    END LOOP;
    CLOSE packets;
    SELECT day, method, status, reason, response, COUNT(*) AS messages
    FROM recipients GROUP BY day, method, status, reason, response ORDER BY day, method, status, reason, response;
    DROP TEMPORARY TABLE recipients;
END
