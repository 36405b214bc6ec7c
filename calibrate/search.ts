/**
 * Chooses what each place is rounded to: the fastest policy whose predicted error is within a budget on every clip.
 *
 * Begins with the fastest rounding of each place and makes those more exact that win most error for the time they cost,
 * until every clip is within its budget; then takes back what turned out not to be needed.
 *
 * @module
 */

import { type Rounding, ROUNDINGS } from "../encoder/policy.ts";

/** Squared errors of one place with one rounding. */
export interface Errors {
  /** Of each clip, if known. */
  known(place: number, rounding: Rounding): readonly number[] | undefined;
  /** Of each clip. */
  measure(place: number, rounding: Rounding): Promise<readonly number[]>;
}

/** What a search goes by. */
export interface SearchGoal {
  /** Seconds of each place, by rounding. */
  readonly seconds: Readonly<Record<Rounding, ArrayLike<number>>>;
  readonly errors: Errors;
  /** Most squared error of each clip. */
  readonly budget: readonly number[];
}

/** What was chosen, and what is expected of it. */
export interface Choice {
  readonly roundings: Rounding[];
  /** Squared error of each clip. */
  readonly predicted: number[];
}

/** Least cost of a step, in seconds: what is no slower is worth any gain. */
const FREE = 1e-7;

/** The fastest policy within the budget; F32 everywhere is within any. */
export async function search(goal: SearchGoal): Promise<Choice> {
  const { seconds, errors } = goal;
  const places = Array.from(seconds.f32, (_, place) => place);
  const roundings = places.map((place) => fastest(goal, place));
  for (const place of places) await errors.measure(place, roundings[place]);
  let predicted = predict(goal, roundings);
  while (isOver(goal, predicted)) {
    const { place, to } = bestStep(goal, roundings, predicted)!;
    if (errors.known(place, to) === undefined) {
      // Until measured a rounding counts as exact; now the steps are weighed again.
      await errors.measure(place, to);
      continue;
    }
    roundings[place] = to;
    predicted = predict(goal, roundings);
  }
  takeBack(goal, roundings);
  return { roundings, predicted: predict(goal, roundings) };
}

/** Seconds of all places together. */
export function secondsOf(seconds: SearchGoal["seconds"], roundings: readonly Rounding[]): number {
  return roundings.reduce((sum, rounding, place) => sum + seconds[rounding][place], 0);
}

/** Of those that take the same time, the most exact. */
function fastest({ seconds }: SearchGoal, place: number): Rounding {
  return ROUNDINGS.reduce((best, rounding) =>
    seconds[rounding][place] < seconds[best][place] ? rounding : best
  );
}

function predict({ errors, budget }: SearchGoal, roundings: readonly Rounding[]): number[] {
  const sums = budget.map(() => 0);
  roundings.forEach((rounding, place) =>
    errors.known(place, rounding)!.forEach((square, clip) => sums[clip] += square)
  );
  return sums;
}

function isOver({ budget }: SearchGoal, predicted: readonly number[]): boolean {
  return predicted.some((square, clip) => square > budget[clip]);
}

interface Step {
  readonly place: number;
  readonly to: Rounding;
  /** Error won, in budgets of clips that are over theirs, per second. */
  readonly worth: number;
}

function bestStep(goal: SearchGoal, roundings: readonly Rounding[], predicted: readonly number[]) {
  const { seconds, errors, budget } = goal;
  let best: Step | null = null;
  for (const [place, from] of roundings.entries()) {
    const now = errors.known(place, from)!;
    for (const to of ROUNDINGS.slice(0, ROUNDINGS.indexOf(from))) {
      const then = errors.known(place, to);
      let won = 0;
      predicted.forEach((square, clip) => {
        if (square > budget[clip]) won += (now[clip] - (then?.[clip] ?? 0)) / budget[clip];
      });
      const worth = won / Math.max(seconds[to][place] - seconds[from][place], FREE);
      if (won > 0 && (best === null || worth > best.worth)) best = { place, to, worth };
    }
  }
  return best;
}

/** Rounds again what the budget has room for, the slowest steps first. Goes by what is known: nothing is measured. */
function takeBack(goal: SearchGoal, roundings: Rounding[]): void {
  const { seconds, errors } = goal;
  const steps = roundings.flatMap((from, place) =>
    ROUNDINGS.slice(ROUNDINGS.indexOf(from) + 1)
      .filter((to) => errors.known(place, to) !== undefined)
      .map((to) => ({ place, to, saved: seconds[from][place] - seconds[to][place] }))
      .filter(({ saved }) => saved > 0)
  ).sort((a, b) => b.saved - a.saved);
  for (const { place, to } of steps) {
    const from = roundings[place];
    if (seconds[to][place] >= seconds[from][place]) continue;
    roundings[place] = to;
    if (isOver(goal, predict(goal, roundings))) roundings[place] = from;
  }
}
