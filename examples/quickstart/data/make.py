#!/usr/bin/env python3
"""Makes the data files of the bundled campaigns again, byte for byte: python3 make.py

The people are invented, and so are their numbers: 555-0100 to 555-0199 is reserved for fiction in the North American Numbering
Plan. doctor_smith_2026-03.csv is given; its update is made from it. The dirt of real exports is planted on purpose.
"""

import csv
import datetime
import pathlib
import random
import unicodedata

HERE = pathlib.Path(__file__).parent
FIRST = (
    "James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan Joseph Jessica Thomas Sarah "
    "José María Luis Carmen Sofía Andrés Lucía Miguel Núria Zoë François Björn Jürgen Chloë Aisha Wei Olu Priya Siobhán Dmitri"
).split()
LAST = (
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson Thomas "
    "Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson O'Neill Müller Núñez"
).split()
SPANISH = {"José", "María", "Luis", "Carmen", "Sofía", "Andrés", "Lucía", "Miguel", "Núria"}
STREETS = "Oak St,Maple Ave,2nd St,Lincoln Way,Elm Ct,Prairie Rd,Church St,Lake Shore Dr,Mill Ln".split(",")


class People:
    """Everything that is picked, from one seed."""

    def __init__(self, seed, area_codes):
        self.random = random.Random(seed)
        self.numbers = [f"{area}5550{line}" for area in area_codes for line in range(100, 200)]
        self.shuffle(self.numbers)

    def below(self, limit):
        # random() alone is the same in every version of Python.
        return int(self.random.random() * limit)

    def pick(self, values):
        return values[self.below(len(values))]

    def chance(self, percent):
        return self.below(100) < percent

    def shuffle(self, values):
        for last in range(len(values) - 1, 0, -1):
            other = self.below(last + 1)
            values[last], values[other] = values[other], values[last]

    def name(self):
        first = self.pick(FIRST)
        return first.upper() if self.chance(6) else first, self.pick(LAST)

    def number(self):
        """A number of one person only, spelled as people do."""
        digits = self.numbers.pop()
        area, exchange, line = digits[:3], digits[3:6], digits[6:]
        return self.pick([
            f"({area}) {exchange}-{line}", f"{area}-{exchange}-{line}", f"{area}.{exchange}.{line}", digits, f"+1{digits}",
        ])

    def email(self, first, last, number):
        plain = unicodedata.normalize("NFKD", f"{first}.{last}".lower()).encode("ascii", "ignore").decode()
        plain = "".join(c for c in plain if c.isalpha() or c == ".")
        return f"{plain}{number}@{self.pick(['example.com', 'example.org', 'example.net'])}"

    def address(self):
        return f"{100 + self.below(9800)} {self.pick(STREETS)}"


def write(name, header, rows, delimiter=",", encoding="utf-8", newline="\n"):
    with open(HERE / name, "w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator=newline)
        writer.writerow(header)
        writer.writerows(rows)


def workdays(first, days):
    all_days = (first + datetime.timedelta(days=day) for day in range(days))
    return [day for day in all_days if day.weekday() < 5]


def internet_installation():
    """About 400 orders of a fibre company around Chicago; some customers have kept numbers from other zones."""
    people = People(11, ["312", "773", "815", "217", "309", "515", "402", "608", "303", "213"])
    days = workdays(datetime.date(2026, 4, 8), 3)
    arrivals = ["08:00 AM", "10:00 AM", "12:00 PM", "2:00 PM", "04:00 PM"]
    rows = []
    for index in range(400):
        first, last = people.name()
        spanish = first.title() in SPANISH and people.chance(70)
        language = people.pick(["es", "ES", "Spanish"]) if spanish else people.pick(["en", "EN", "English", ""])
        mobile = people.number() if people.chance(90) else people.pick(["", "", "none", "555-0142"])
        home = people.number() if people.chance(55) else ""
        rows.append([
            f"WO-{71000 + index}", f"C{5000 + index}", first, last, mobile, home, language, people.pick(days).strftime("%m/%d/%Y"),
            people.pick(arrivals), people.address(), people.pick(["fiber 500", "fiber 1000", "fiber 1000 + phone"]),
        ])
    rows[37][7], rows[120][7], rows[288][8] = "04/31/2026", "2026-04-15", ""
    rows[51][4] = "3.125550142E+09"
    rows[200][0] = ""
    # Two flats of one customer, on one number: two orders, one person.
    rows[301][1:6] = rows[300][1:6]
    # Those of whom the sandbox script tells more.
    for row, (mobile, home) in zip((5, 6, 7, 8, 9), [
        ("312-555-0199", "608-555-0199"), ("773-555-0199", "815-555-0199"), ("217-555-0199", "309-555-0199"), ("515-555-0199", ""),
        ("402-555-0199", ""),
    ]):
        rows[row][4:6] = [mobile, home]
    taken = {digits(cell) for row in rows[5:10] for cell in row[4:6] if cell}
    for row in rows[:5] + rows[10:]:
        row[4:6] = ["" if digits(cell) in taken else cell for cell in row[4:6]]
    people.shuffle(rows)
    header = ["Order", "Customer", "First Name", "Last Name", "Mobile", "Home Phone", "Language", "Install Date", "Arrival From",
              "Address", "Product"]
    write("internet_installation_2026-04.csv", header, rows, newline="\r\n")


def digits(cell):
    return "".join(c for c in cell if c.isdigit())[-10:]


def school_early_out():
    """About 600 pupils, a row each, of whom two lists come: what the office has at hand, and the middle school's 25 minutes later."""
    people = People(12, ["303", "720", "970", "719", "307", "505", "575", "801", "385", "480", "602", "623"])
    schools = [("Aspen Elementary", "12:15 PM"), ("Birch Elementary", "12:30 PM"), ("Cedar High", "11:45 AM")]
    early, late, parent = [], [], 0
    while len(early) < 520:
        parent += 1
        first, last = people.name()
        spanish = first.title() in SPANISH and people.chance(75)
        contacts = [
            people.number() if people.chance(92) else people.pick(["", "", "unlisted", "719-555-01"]),
            people.email(first, last, parent) if people.chance(80) else people.pick(["", "", f"{last}.example.com".lower()]),
            people.number() if people.chance(35) else "",
        ]
        language = people.pick(["es", "Español", "Spanish"]) if spanish else people.pick(["en", "English", ""])
        pupils = 2 if people.chance(15) else 1
        for _ in range(pupils):
            school, closing = people.pick(schools)
            early.append([f"S{20000 + len(early)}", people.pick(FIRST).title(), people.pick(FIRST).title(), school, closing,
                          f"P{3000 + parent}", f"{first} {last}", *contacts, language])
        # Brothers and sisters go to the middle school.
        if people.chance(14) or parent in (4, 9):
            late.append([f"S{30000 + len(late)}", people.pick(FIRST).title(), "", "Dogwood Middle", "12:40 PM",
                         f"P{3000 + parent}", f"{first} {last}", *contacts, language])
        # Those of whom the sandbox script tells: they write STOP at once, or press 8.
        for row in [row for row in early + late if row[5] in ("P3004", "P3009")]:
            row[7:10] = (["303-555-0199", "stop.parent@example.com", ""] if row[5] == "P3004"
                         else ["", "", "(720) 555-0199"])
    reserved = {"3035550199", "7205550199"}
    for row in early + late:
        if row[5] not in ("P3004", "P3009"):
            row[7], row[9] = ("" if digits(cell) in reserved else cell for cell in (row[7], row[9]))
    early[61][4], early[250][4] = "noon", ""
    early[333][0] = ""
    early[400][7] = "7.20556E+09"
    header = ["Student ID", "Student", "Middle Name", "School", "Dismissal", "Parent ID", "Parent", "Mobile", "E-mail", "Home Phone",
              "Home Language"]
    write("school_early_out_list.csv", header, early, delimiter=";")
    write("school_early_out_middle_school.csv", header, late, delimiter=";")


def house_showings():
    """150 showings of an agency in Massachusetts and its neighbours: most buyers gave an e-mail address."""
    people = People(13, ["617", "508", "781", "978", "401", "603"])
    agents = [("Dana Reyes", "617-555-0100"), ("Tom O'Brien", "508-555-0100"), ("Inès Dubois", "(781) 555-0100")]
    days = [datetime.date(2026, 5, 8) + datetime.timedelta(days=day) for day in range(4)]
    for _, number in agents:
        people.numbers.remove(digits(number))
    rows = []
    for index in range(150):
        first, last = people.name()
        email = people.email(first, last, index) if people.chance(80) else people.pick(["", "", f"{first}@@example.com"])
        hour, minute = 10 + people.below(8), people.pick([0, 15, 30, 45])
        time = datetime.time(hour, minute).strftime("%I:%M %p")
        rows.append([f"H-{900 + index}", first, last, email, people.number() if people.chance(75) else "",
                     people.pick(days).strftime("%b %d, %Y"), time, people.address(),
                     people.pick(["Quincy", "Newton", "Nahant", "Providence", "Nashua"]), *people.pick(agents)])
    rows[20][5], rows[77][6] = "May 32, 2026", "half past two"
    rows[99][7] = ""
    # Those of whom the sandbox script tells: feedback from 5 to 1, and other answers.
    told = ["five", "four", "three", "two", "one", "confirms", "cancels", "later", "stops", "changes"]
    told += [f"{answer}{index}" for index in range(4) for answer in ("five", "four", "confirms")]
    for row, name in enumerate(told, start=30):
        rows[row][3] = f"{name}.buyer@example.com"
    people.shuffle(rows)
    header = ["Showing", "Buyer First", "Buyer Last", "Buyer E-mail", "Buyer Mobile", "Date", "Time", "Address", "Town", "Agent",
              "Agent Phone"]
    write("house_showings_2026-05.csv", header, rows)


def doctor_smith_update():
    """What the practice exports two days later: the appointments from that day on, of which some were moved, dropped or added."""
    people = People(14, ["435"])
    with open(HERE / "doctor_smith_2026-03.csv", encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    keys = [row[0] for row in rows]
    days = workdays(datetime.date(2026, 3, 5), 9)
    update = []
    for row in rows:
        # Rows of another width and without a key are gone: somebody has looked at the list of rejected rows.
        if len(row) != len(header) or not row[0]:
            continue
        date = day_of(row[6])
        if date and date < datetime.date(2026, 3, 4):
            continue
        row = list(row)
        # Keys that stand twice are left alone, and so is whom the tests and the sandbox script know by number.
        if date and date > datetime.date(2026, 3, 4) and keys.count(row[0]) == 1:
            fate = people.below(100)
            if fate < 4:
                others = [day for day in days if day != date]
                row[6] = people.pick(others).strftime("%m/%d/%Y")
            elif fate < 7:
                row[7] = people.pick([time for time in ("08:10 AM", "11:10 AM", "02:10 PM", "04:10 PM") if time != row[7]])
            elif fate < 10:
                continue
        update.append(row)
    for index in range(40):
        first, last = people.name()
        update.append([f"A-{7000 + index}", f"P-{13000 + index}", first, last, people.number(), people.email(first, last, index),
                       people.pick(days).strftime("%m/%d/%Y"), people.pick(["09:00 AM", "11:40 AM", "3:20 PM"]), "", "Dr. Smith",
                       "new since Monday"])
    write("doctor_smith_2026-03_update.csv", header, update, encoding="utf-8-sig")


def day_of(cell):
    try:
        return datetime.datetime.strptime(cell, "%m/%d/%Y").date()
    except ValueError:
        return None


if __name__ == "__main__":
    internet_installation()
    school_early_out()
    house_showings()
    doctor_smith_update()
