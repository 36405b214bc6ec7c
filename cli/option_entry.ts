/**
 * What the table of options is made of.
 *
 * @module
 */

/** A value of an option; null where `None` was typed. */
export type OptionValue = string | number | boolean | null;

/** How an option's text becomes a value. `optional number` also takes `None`; `choices` takes several, with commas. */
export type OptionKind = "text" | "boolean" | "integer" | "number" | "optional number" | "choice" | "choices";

/** One option. */
export interface OptionEntry {
  readonly name: string;
  readonly short?: string;
  readonly kind: OptionKind;
  readonly choices?: readonly string[];
  /** As it would be typed; absent where not giving the option means something else than a value. */
  readonly default?: string;
  readonly help: string;
}
