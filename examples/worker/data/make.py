#!/usr/bin/env python3
"""Writes a data file of appointments in the next hours, whole or not at all: make.py ROWS inbox/appointments_1.csv"""

import os
import sys
from datetime import datetime, timedelta, timezone

PERSONAS = ["delivers", "confirms", "cancels", "undelivered", "lost_answer", "time_out", "stops"]

if len(sys.argv) != 3 or not sys.argv[1].isdigit():
    sys.exit(__doc__)
rows, path = int(sys.argv[1]), sys.argv[2]
now = datetime.now(timezone.utc)
with open(path + ".part", "w", encoding="utf-8") as file:
    print("Appt ID,First Name,E-mail,At", file=file)
    for row in range(rows):
        at = now + timedelta(minutes=150 + row % 120)
        persona = PERSONAS[row % 40] if row % 40 < len(PERSONAS) else PERSONAS[0]
        print(f"A-{row},Ann,{persona}+{row}@sandbox.example,{at:%Y-%m-%d %H:%M}", file=file)
os.rename(path + ".part", path)
