ALTER TABLE packet_table_tracking ADD COLUMN offloads INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'of a month: the number of its last way into files'
