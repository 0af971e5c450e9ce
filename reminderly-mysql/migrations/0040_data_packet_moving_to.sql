ALTER TABLE data_packet ADD COLUMN moving_to DATE NULL COMMENT 'the last day of the month into whose tables it is being moved'
