#!/usr/bin/env python3
"""Writes src/domain/number_area/{zones,states}.txt from the data of Google's libphonenumber.

Again, for another version:

    pip install phonenumbers==9.0.43
    python3 reminderly-core/scripts/number_areas.py
"""

import re
import textwrap
from collections import defaultdict
from pathlib import Path

import phonenumbers
from phonenumbers.geodata import GEOCODE_DATA
from phonenumbers.phonenumberutil import COUNTRY_CODE_TO_REGION_CODE
from phonenumbers.tzdata import TIMEZONE_DATA

HERE = Path(__file__).parent.parent / "src" / "domain" / "number_area"

LICENCE = f"""\
# From libphonenumber {phonenumbers.__version__} through the PyPI package phonenumbers, by scripts/number_areas.py.
# Copyright (C) 2011-2026 The Libphonenumber Authors. Licensed under the Apache License, Version 2.0:
# http://www.apache.org/licenses/LICENSE-2.0
"""

STATES = {
    "Alabama": "AL", "Alaska": "AK", "Arizona": "AZ", "Arkansas": "AR", "California": "CA", "Colorado": "CO",
    "Connecticut": "CT", "Delaware": "DE", "Florida": "FL", "Georgia": "GA", "Hawaii": "HI", "Idaho": "ID",
    "Illinois": "IL", "Indiana": "IN", "Iowa": "IA", "Kansas": "KS", "Kentucky": "KY", "Louisiana": "LA",
    "Maine": "ME", "Maryland": "MD", "Massachusetts": "MA", "Michigan": "MI", "Minnesota": "MN",
    "Mississippi": "MS", "Missouri": "MO", "Montana": "MT", "Nebraska": "NE", "Nevada": "NV",
    "New Hampshire": "NH", "New Jersey": "NJ", "New Mexico": "NM", "New York": "NY", "North Carolina": "NC",
    "North Dakota": "ND", "Ohio": "OH", "Oklahoma": "OK", "Oregon": "OR", "Pennsylvania": "PA",
    "Rhode Island": "RI", "South Carolina": "SC", "South Dakota": "SD", "Tennessee": "TN", "Texas": "TX",
    "Utah": "UT", "Vermont": "VT", "Virginia": "VA", "Washington State": "WA", "West Virginia": "WV",
    "Wisconsin": "WI", "Wyoming": "WY", "Washington D.C.": "DC",
}

# Named by their places only in the source, or of a territory: the NANPA's assignments.
ASSIGNED = {
    "203": "CT", "713": "TX", "718": "NY", "340": "VI", "670": "MP", "671": "GU", "684": "AS", "787": "PR",
    "939": "PR",
}

# Codes that lie over one area, where the source knows all zones of one of them only: each has the zones of all.
OVERLAYS = [
    ("208", "986"), ("236", "250", "257", "672", "778"), ("270", "364"), ("367", "418", "581"), ("423", "729"),
    ("448", "850"), ("458", "541"), ("709", "879"), ("812", "930"),
]


def calling_code(prefix):
    """The country calling code with which a prefix begins."""
    for length in (1, 2, 3):
        if int(prefix[:length]) in COUNTRY_CODE_TO_REGION_CODE:
            return prefix[:length]
    return None


def zones():
    """Zones by area code of the North American plan and by calling code: all that any longer prefix names."""
    found = defaultdict(set)
    for prefix, names in TIMEZONE_DATA.items():
        code = calling_code(prefix)
        if code is not None:
            found[code] |= set(names)
        if code == "1" and len(prefix) >= 4:
            found[prefix[:4]] |= set(names)
    for overlay in OVERLAYS:
        joint = set().union(*(found["1" + code] for code in overlay))
        found.update({"1" + code: joint for code in overlay})
    return {code: tuple(sorted(names)) for code, names in found.items()}


def states():
    """States by area code."""
    found = dict(ASSIGNED)
    for prefix, names in GEOCODE_DATA.items():
        name = names.get("en", "")
        state = STATES.get(name) or next(iter(re.findall(r", ([A-Z]{2})$", name)), None)
        if re.fullmatch("1[2-9]..", prefix) and state in STATES.values():
            found[prefix[1:]] = state
    return found


def write(file, title, groups):
    """What codes share, then the codes; a group goes on over indented lines."""
    lines = [LICENCE + title]
    for shared, codes in sorted(groups.items()):
        text = f"{shared}: {' '.join(sorted(codes))}"
        lines += textwrap.wrap(text, 108, subsequent_indent="  ", break_on_hyphens=False)
    (HERE / file).write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    by_zones = defaultdict(list)
    for code, names in zones().items():
        by_zones[" ".join(names)].append(code)
    title = "# Time zones, and the country calling codes and area codes (1 and three digits) that lie in them."
    write("zones.txt", title, by_zones)
    by_state = defaultdict(list)
    for code, state in states().items():
        by_state[state].append(code)
    write("states.txt", "# States and territories of the United States, and their area codes.", by_state)


main()
