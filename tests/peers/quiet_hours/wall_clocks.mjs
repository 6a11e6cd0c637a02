// What the clock on the wall of a zone shows, asked of Intl.DateTimeFormat and of nothing else.
// Everything is counted in minutes since 1970; the clock of the wall as if it showed UTC.

const DAY = 24 * 60;
const STEP = 4 * DAY;

function formatter(zone) {
  return new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  });
}

function wallMinus(format, minute) {
  const shown = format.format(minute * 60_000).match(/\d+/g).map(Number);
  const [month, day, year, hour, minuteOfHour] = shown;
  return Date.UTC(year, month - 1, day, hour, minuteOfHour) / 60_000 - minute;
}

/** Whether this Node knows the zone at all. */
export function isKnown(zone) {
  try {
    formatter(zone);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Adds what changes after the last of `found` and until `to`. Two changes between which nothing is
 * asked would be missed, were they there and back. */
function addChanges(format, found, to) {
  const last = wallMinus(format, to);
  while (found.at(-1)[1] !== last) {
    let [low, before] = found.at(-1);
    let high = to;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (wallMinus(format, middle) === before) low = middle;
      else high = middle;
    }
    found.push([high, wallMinus(format, high)]);
  }
}

/** [[from minute, wall minus UTC], ...] of a zone between two instants, the first one included. */
export function changes(zone, from, to) {
  const format = formatter(zone);
  const found = [[from, wallMinus(format, from)]];
  for (let probe = from; probe < to; probe = Math.min(probe + STEP, to)) {
    addChanges(format, found, Math.min(probe + STEP, to));
  }
  return found;
}

/** A function that gives wall minus UTC at any minute of a zone. What it has learned it remembers
 * by days of UTC; no table of `changes` has a part in it. */
export function wallClock(zone) {
  const format = formatter(zone);
  const days = new Map();
  const learn = (day) => {
    const found = [[day * DAY, wallMinus(format, day * DAY)]];
    addChanges(format, found, (day + 1) * DAY);
    const known = found.length === 1 ? found[0][1] : found;
    days.set(day, known);
    return known;
  };
  return (minute) => {
    const day = Math.floor(minute / DAY);
    const known = days.get(day) ?? learn(day);
    if (typeof known === "number") return known;
    return known.findLast(([from]) => from <= minute)[1];
  };
}
