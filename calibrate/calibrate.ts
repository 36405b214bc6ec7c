/**
 * Chooses what `int8` rounds for one model: the fastest policy that stays within a target on every clip.
 *
 * @module
 */

import type { Migration } from "../encoder/migration.ts";
import { builtInPolicy, type Rounding, ROUNDINGS } from "../encoder/policy.ts";
import { SottoError } from "../errors.ts";
import type { Clip } from "./clips.ts";
import {
  channelRanges,
  MIGRATION_TRIALS,
  migrationName,
  migrationOf,
  type MigrationTrial,
} from "./migrations.ts";
import { policyOf, roundingsOf } from "./places.ts";
import { search, secondsOf } from "./search.ts";
import { Sensitivity } from "./sensitivity.ts";
import type { Trials } from "./trials.ts";

/** Share of the target that a choice may use on the clips it is made by: others err up to a sixth more. */
const MARGIN = 0.85;

/** Runs of which the fastest says what a place takes. */
const TIMED_RUNS = 5;

/** Searches before it is given up: predictions are corrected after each. */
const MOST_SEARCHES = 8;

/** What squares of errors are held to be larger by after each policy that erred too much. */
const TIGHTENED = 1.03;

/** Share of the goal from which on it is not worth coming closer. */
const CLOSE = 0.97;

/** What is calibrated by. */
export interface CalibrateOptions {
  readonly target: number;
  /** Told what is being done, a line each. */
  readonly onStage: (line: string) => void;
}

/** A choice and what is known of it. */
export interface Calibrated {
  readonly roundings: readonly Rounding[];
  readonly migrations: readonly Migration[];
  /** Which of the trials was taken, if one was. */
  readonly migration: MigrationTrial | null;
  /** Of the clips that it was chosen by, with the migration and without. */
  readonly errors: { readonly migrated: readonly number[]; readonly plain: readonly number[] };
  /** Seconds of each place, by rounding. */
  readonly seconds: Readonly<Record<Rounding, Float64Array>>;
  readonly sensitivity: Sensitivity;
}

/**
 * Calibrates.
 *
 * @param clips Of every kind; none that is held out.
 * @throws {SottoError} E_OPTION if no policy stays within the target.
 */
export async function calibrate(
  trials: Trials,
  clips: readonly Clip[],
  { target, onStage }: CalibrateOptions,
): Promise<Calibrated> {
  onStage(`timing ${trials.places} products in f32, half and int8`);
  const seconds = {} as Record<Rounding, Float64Array>;
  for (const rounding of ROUNDINGS) seconds[rounding] = await trials.seconds(rounding, clips[0], TIMED_RUNS);
  onStage(`measuring what rounding each of them does to ${clips.length} clips`);
  const sensitivity = new Sensitivity(trials, clips);
  const hold = (migrations: readonly Migration[], correction: readonly number[]) =>
    searchUntilHeld(trials, clips, { seconds, sensitivity, migrations, correction, goal: target * MARGIN });

  const plain = await hold([], clips.map(() => 1));
  onStage(`${milliseconds(secondsOf(seconds, plain.roundings))} of products: within the target`);
  const found = await bestMigration(trials, clips, plain, onStage);
  if (found === null) {
    const errors = { migrated: plain.errors, plain: plain.errors };
    return { roundings: plain.roundings, migrations: [], migration: null, errors, seconds, sensitivity };
  }
  // What the migration won in error may be spent on time.
  const again = await hold(
    found.migrations,
    found.errors.map((error, clip) => plain.predicted[clip] > 0 ? error ** 2 / plain.predicted[clip] : 1),
  );
  const isFaster = secondsOf(seconds, again.roundings) < secondsOf(seconds, plain.roundings);
  if (isFaster) onStage(`${milliseconds(secondsOf(seconds, again.roundings))} with the migration`);
  const taken = isFaster ? again : { ...plain, errors: found.errors };
  return {
    roundings: taken.roundings,
    migrations: found.migrations,
    migration: found.trial,
    errors: { migrated: taken.errors, plain: plain.errors },
    seconds,
    sensitivity,
  };
}

interface Held {
  readonly roundings: readonly Rounding[];
  readonly predicted: readonly number[];
  /** Of each clip, measured. */
  readonly errors: readonly number[];
}

/**
 * Searches, measures, and corrects predictions by what was measured: the fastest of the policies tried that hold the goal.
 * Errors of policies near the goal add up alike, so the second or third search ends close to it.
 */
async function searchUntilHeld(
  trials: Trials,
  clips: readonly Clip[],
  by: {
    readonly seconds: Readonly<Record<Rounding, Float64Array>>;
    readonly sensitivity: Sensitivity;
    readonly migrations: readonly Migration[];
    /** Measured square over the predicted one, for each clip. */
    readonly correction: readonly number[];
    readonly goal: number;
  },
): Promise<Held> {
  let { correction } = by;
  let tightened = 1;
  let best: Held | null = null;
  const tried = new Set<string>();
  for (let round = 0; round < MOST_SEARCHES; round++) {
    const budget = correction.map((factor) => by.goal ** 2 / (factor * tightened));
    const choice = await search({ seconds: by.seconds, errors: by.sensitivity, budget });
    const name = choice.roundings.join();
    if (tried.has(name)) {
      if (best !== null) break;
      tightened *= TIGHTENED;
      continue;
    }
    tried.add(name);
    const errors = await trials.errors(policyOf(choice.roundings), clips, by.migrations);
    correction = errors.map((error, clip) =>
      choice.predicted[clip] > 0 ? error ** 2 / choice.predicted[clip] : correction[clip]
    );
    if (Math.max(...errors) > by.goal) {
      tightened *= TIGHTENED;
      continue;
    }
    const isFaster = best === null ||
      secondsOf(by.seconds, choice.roundings) < secondsOf(by.seconds, best.roundings);
    if (isFaster) best = { ...choice, errors };
    if (Math.max(...errors) > CLOSE * by.goal) break;
  }
  if (best !== null) return best;
  throw new SottoError(
    "E_OPTION",
    `Cannot calibrate: no choice of ${MOST_SEARCHES} stayed within ${(100 * by.goal).toFixed(2)} %`,
    { hint: "Give a larger --target." },
  );
}

/** The migration with the least error among those that make no clip worse; null if all do. */
async function bestMigration(
  trials: Trials,
  clips: readonly Clip[],
  plain: Held,
  onStage: (line: string) => void,
): Promise<{ trial: MigrationTrial; migrations: Migration[]; errors: number[] } | null> {
  onStage(`taking ranges of activations, and trying ${MIGRATION_TRIALS.length} migrations`);
  const ranges = await channelRanges(trials, clips);
  let best: { trial: MigrationTrial; migrations: Migration[]; errors: number[] } | null = null;
  for (const trial of MIGRATION_TRIALS) {
    const migrations = ranges.filter(({ product }) => trial.products.includes(product))
      .map((range) => migrationOf(range, trial.method, trial.strength));
    const errors = await trials.errors(policyOf(plain.roundings), clips, migrations);
    const isBetter = errors.every((error, clip) => error <= plain.errors[clip]);
    const change = 100 * (squares(errors) / squares(plain.errors) - 1);
    onStage(
      `  ${migrationName(trial)}: squares ${change > 0 ? "+" : ""}${change.toFixed(0)} %, ${
        isBetter ? "no clip worse" : "worse on a clip"
      }`,
    );
    if (isBetter && (best === null || squares(errors) < squares(best.errors))) {
      best = { trial, migrations, errors };
    }
  }
  // What does not run in INT8 has nothing to gain.
  const policy = policyOf(plain.roundings);
  return best && {
    ...best,
    migrations: best.migrations.filter(({ block, product }) => policy.blocks[block][product] === "int8"),
  };
}

/** The built-in policy for `int8`, to compare with. */
export function builtInRoundings(blocks: number): Rounding[] {
  return roundingsOf(builtInPolicy("int8", blocks));
}

function squares(errors: readonly number[]): number {
  return errors.reduce((sum, error) => sum + error * error, 0);
}

function milliseconds(seconds: number): string {
  return `${(1000 * seconds).toFixed(1)} ms`;
}
