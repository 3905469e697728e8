"""Age and sex from the readings published beside the images, in three formats.

Montgomery  one file an image: "Patient's Sex: F", "Patient's Age: 027Y", the reading
Shenzhen    one file an image: "male 45yrs", the reading; also "Female, 28yrs", "16month"
JSRT        one line an image: file name, ..., age, sex, ...; "?" where unknown
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SEX = re.compile(r"\b(?:sex:\s*(?P<letter>[FM])\b|(?P<word>femal|male))", re.IGNORECASE)
_AGE = re.compile(r"(?<!\d)(?P<number>\d{1,3})\s*(?P<unit>y|month|day)", re.IGNORECASE)
_JSRT = re.compile(r"(?P<key>JPC(?:LN|NN)\d{3})\.IMG\b(?P<rest>.*)", re.IGNORECASE)
_JSRT_SEX = re.compile(r"(?:(?P<age>\d{1,3})\s+)?(?P<sex>female|male)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Person:
    """Age in years, -1 where unknown; sex "F", "M" or ""."""

    age: int = -1
    sex: str = ""


UNKNOWN = Person()


def reading(text: str) -> Person:
    """Who a reading of Montgomery or Shenzhen is about; a month or a day is no year."""
    sex, age = _SEX.search(text), _AGE.search(text)
    years = _years(age["number"]) if age and age["unit"].lower() == "y" else 0 if age else -1
    if age and age["unit"].lower() == "month":
        years = int(age["number"]) // 12
    return Person(years, _letter(sex["letter"] or sex["word"]) if sex else "")


def jsrt_list(text: str) -> dict[str, Person]:
    """Film to person, from ``CLNDAT_EN.txt`` (films with a nodule) or ``CNNDAT_EN.TXT``."""
    people = {}
    for line in text.splitlines():
        film = _JSRT.search(line)
        if film and (found := _JSRT_SEX.search(film["rest"])):
            people[film["key"].upper()] = Person(_years(found["age"]), _letter(found["sex"]))
    return people


def _letter(sex: str) -> str:
    return sex[0].upper()


def _years(digits: str | None) -> int:
    years = int(digits) if digits else -1
    return years if years <= 120 else -1
