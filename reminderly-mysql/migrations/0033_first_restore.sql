INSERT IGNORE INTO restores (number, epoch, raised_at) VALUES (1, 0, NULL)
