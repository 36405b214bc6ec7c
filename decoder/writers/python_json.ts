/**
 * JSON spelled as Python's `json.dump` spells it: `, ` and `: ` between things, ASCII only, floats as `repr()` shows
 * them.
 *
 * @module
 */

/** A number that is a float in Python, and so is written `0.0` and not `0` where it is whole. */
export class Float {
  /**
   * Marks a number as a float.
   *
   * @param value Any number; NaN and infinities are written as Python writes them, which is not JSON.
   */
  constructor(readonly value: number) {}
}

/** What can be written. Plain numbers are integers. */
export type PythonValue =
  | null
  | boolean
  | string
  | number
  | Float
  | readonly PythonValue[]
  | { readonly [key: string]: PythonValue };

/** The value as Python spells it. */
export function pythonJson(value: PythonValue): string {
  if (value === null || typeof value === "boolean" || typeof value === "number") return String(value);
  if (typeof value === "string") return quoted(value);
  if (value instanceof Float) return pythonFloat(value.value);
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(", ")}]`;
  const entries = Object.entries(value as { readonly [key: string]: PythonValue });
  return `{${entries.map(([key, entry]) => `${quoted(key)}: ${pythonJson(entry)}`).join(", ")}}`;
}

/** JSON.stringify, and an escape for all that is not printable ASCII. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * A float as Python's `repr()` shows it: the shortest digits that read back as the same number, with an exponent below
 * 1e-4 and from 1e16 on.
 */
export function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  if (Object.is(value, -0)) return "-0.0";
  const [mantissa, exponent] = value.toExponential().split("e");
  const power = Number(exponent);
  if (value !== 0 && (power < -4 || power >= 16)) {
    return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  // From 1e-6 to 1e21 JavaScript writes no exponent.
  const digits = String(value);
  return digits.includes(".") ? digits : `${digits}.0`;
}
