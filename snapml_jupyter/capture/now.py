"""The current date and time, in texts and as such: a report that says when it was made says something else each time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

_TIME = re.compile(r"(?<![\d:])(\d{1,2}):(\d{2}):(\d{2})(?:[.,]\d{1,9})?(?![\d:])")
#: As it stands in names of files: `20240131-235959`, `2024-01-31_23-59-59`, or seconds since 1970.
_STAMP = re.compile(
    r"(?<!\d)(\d{4})[-_.]?(\d{2})[-_.]?(\d{2})[-_T ]?(\d{2})[-_:.h]?(\d{2})[-_:.m]?(\d{2})(?:[.,]\d{1,9})?(?!\d)"
)
_SECONDS = re.compile(r"(?<![\d.])\d{10}(?!\d)")
#: As a datetime says itself; seconds are left out where they are zero.
_SAID = re.compile(r"datetime\.datetime\((\d+), (\d+), (\d+), (\d+), (\d+)(?:, (\d+))?(?:, \d+)?\)")
#: How reports write a day.
_DAYS = (
    "%a, %d %b %Y",
    "%A, %d %B %Y",
    "%a %b %d %Y",
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%b %d %Y",
)
#: When something began and ended, in seconds since 1970.
Span = tuple[float, float]

#: A text may be made a little before it is looked at.
_SLACK_SECONDS = 5.0


def is_now(moment: datetime, spans: Sequence[Span]) -> bool:
    """Whether a clock showed that moment within one of the spans, in local time or UTC."""
    readings = [moment] if moment.tzinfo is not None else [moment, moment.replace(tzinfo=timezone.utc)]
    try:
        shown = [reading.timestamp() for reading in readings]
    except (ValueError, OverflowError, OSError):  # the year 1 is no time of a clock
        return False
    return any(
        begun - _SLACK_SECONDS <= seconds <= ended + _SLACK_SECONDS for seconds in shown for begun, ended in spans
    )


def without_now(text: str, spans: Sequence[Span]) -> str:
    """The text with the date and time of day that a clock showed within one of the spans left out.

    >>> without_now("made 1970-01-01 at 00:00:30", [(0.0, 60.0)])
    'made <date> at <time>'
    >>> without_now("lap 00:07:30", [(0.0, 60.0)])
    'lap 00:07:30'
    """
    if not spans or not any(character.isdigit() for character in text):
        return text
    offsets = {0.0, datetime.fromtimestamp(spans[0][1]).astimezone().utcoffset().total_seconds()}  # type: ignore[union-attr]  # aware

    def time_of(match: re.Match[str]) -> str:
        hours, minutes, seconds = (int(part) for part in match.groups())
        of_day = hours * 3600 + minutes * 60 + seconds
        for offset in offsets:
            for begun, ended in spans:
                since = (of_day - (begun - _SLACK_SECONDS) - offset + 1.0) % 86_400
                if since <= ended - begun + 2 * _SLACK_SECONDS + 1.0:
                    return "<time>"
        return match.group()

    def moment_of(match: re.Match[str]) -> str:
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
        try:
            moment = datetime(year, month, day, hour, minute, second)
        except ValueError:
            return match.group()
        return "<time>" if is_now(moment, spans) else match.group()

    def seconds_of(match: re.Match[str]) -> str:
        is_reading = is_now(datetime.fromtimestamp(int(match.group()), timezone.utc), spans)
        return "<time>" if is_reading else match.group()

    text = _SECONDS.sub(seconds_of, _STAMP.sub(moment_of, _SAID.sub(moment_of, text)))
    text = _TIME.sub(time_of, text)
    for offset in offsets:
        for moment in sorted({each for span in spans for each in span}):
            day = datetime.fromtimestamp(moment, timezone(timedelta(seconds=offset)))
            if str(day.year) in text:
                for form in _DAYS:
                    text = text.replace(day.strftime(form), "<date>")
    return text
