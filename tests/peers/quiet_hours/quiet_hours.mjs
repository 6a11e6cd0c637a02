// Quiet hours by their definition, minute by minute: a minute is quiet if the clock on the wall
// shows a time in a window; a period ends with the first minute that is not.
//
//   node quiet_hours.mjs zones            names on stdin -> those that this Node knows
//   node quiet_hours.mjs changes FROM TO  names on stdin -> a line of `changes` for each
//   node quiet_hours.mjs decide           decisions on stdin (see decisions.py) -> an answer a line

import { createInterface } from "node:readline";
import { changes, isKnown, wallClock } from "./wall_clocks.mjs";

const DAY = 24 * 60;
const WEEK = 7 * DAY;
const LOOK_AHEAD = 15 * DAY;
const THURSDAY = 3; // 1970-01-01, counted from Monday

/** A week of minutes from Monday 00:00, 1 where one of "days:start:end,..." covers it. Days are
 * bits, the lowest for Monday; times are minutes of the day. */
function quietWeek(windows) {
  const week = new Uint8Array(WEEK);
  if (windows === "-") return week;
  for (const window of windows.split(",")) {
    const [days, start, end] = window.split(":").map(Number);
    const length = end > start ? end - start : end - start + DAY;
    for (let day = 0; day < 7; day++) {
      if (!(days & (1 << day))) continue;
      const first = day * DAY + start;
      week.fill(1, first, first + length);
      week.fill(1, 0, Math.max(first + length - WEEK, 0));
    }
  }
  return week;
}

function quietUntil(week, wallMinus, at) {
  const isQuiet = (minute) => week[(minute + wallMinus(minute) + THURSDAY * DAY) % WEEK] === 1;
  let minute = at;
  while (minute < at + LOOK_AHEAD && isQuiet(minute)) minute += 1;
  return minute === at ? null : minute;
}

/** "zone at zone-moved-to windows" -> "until until-after-the-move", with - for none. The move is
 * half-way through the quiet period. */
function decide(line, clockOf) {
  const [zone, at, movedTo, windows] = line.split(" ");
  const week = quietWeek(windows);
  const until = quietUntil(week, clockOf(zone), Number(at));
  if (until === null || movedTo === "-") return `${until ?? "-"} -`;
  const halfWay = Math.floor((Number(at) + until) / 2);
  return `${until} ${quietUntil(week, clockOf(movedTo), halfWay) ?? "-"}`;
}

const clocks = new Map();
function clockOf(zone) {
  if (!clocks.has(zone)) clocks.set(zone, wallClock(zone));
  return clocks.get(zone);
}

const [task, from, to] = process.argv.slice(2);
const tasks = {
  zones: (zone) => (isKnown(zone) ? zone : null),
  changes: (zone) => JSON.stringify(changes(zone, Number(from), Number(to))),
  decide: (line) => decide(line, clockOf),
};

let answers = [];
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const answer = tasks[task](line);
  if (answer !== null) answers.push(answer);
  if (answers.length >= 10_000) process.stdout.write(answers.splice(0).join("\n") + "\n");
}
if (answers.length) process.stdout.write(answers.join("\n") + "\n");
