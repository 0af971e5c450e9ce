CREATE PROCEDURE IF NOT EXISTS collect_recipients(IN of_packet INT UNSIGNED)
SQL SECURITY INVOKER
COMMENT 'adds the messages of a packet to the temporary table recipients, wherever they are stored'
BEGIN
    SELECT
        CONCAT(
            IF(version = 0, 'campaign_data_', 'packet_'), campaign_number, '_', DATE_FORMAT(day, '%m%d%Y'),
            IF(version = 0, '', CONCAT('_', version))
        ),
        LEFT(JSON_VALUE(packet, '$.created_at'), 10)
    INTO @reminderly_set, @reminderly_day
    FROM data_packet WHERE number = of_packet;
    SET @reminderly_packet = of_packet;
    SET @reminderly_collect = CONCAT(
        'INSERT INTO recipients SELECT ?, made.slot, ?, ',
        'JSON_VALUE(made.message, ''$.method''), JSON_VALUE(made.message, ''$.contact.address''), ',
        'JSON_VALUE(COALESCE(last.state, made.state), ''$.status''), ',
        'COALESCE(JSON_VALUE(COALESCE(last.state, made.state), ''$.detail.skip''), ',
        'JSON_VALUE(COALESCE(last.state, made.state), ''$.detail.code'')), ',
        'JSON_VALUE(COALESCE(last.state, made.state), ''$.response.kind''), ',
        'JSON_VALUE(COALESCE(last.state, made.state), ''$.sent_at'') ',
        'FROM ', @reminderly_set, '_messages AS made LEFT JOIN ', @reminderly_set, '_transitions AS last ',
        'ON last.packet_number = made.packet_number AND last.slot = made.slot AND last.number = (',
        'SELECT MAX(number) FROM ', @reminderly_set, '_transitions AS one ',
        'WHERE one.packet_number = made.packet_number AND one.slot = made.slot) ',
        'WHERE made.packet_number = ?'
    );
    PREPARE reminderly_collect FROM @reminderly_collect;
    EXECUTE reminderly_collect USING @reminderly_packet, @reminderly_day, @reminderly_packet;
    DEALLOCATE PREPARE reminderly_collect;
END
