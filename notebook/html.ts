/**
 * HTML from values: what is put in between is escaped, unless it is HTML already.
 *
 * @module
 */

/** A piece of HTML. */
export class Html {
  /** @param text Well-formed HTML. */
  constructor(readonly text: string) {}
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A template tag: ``html`<b>${text}</b>` ``. Lists are joined. */
export function html(parts: TemplateStringsArray, ...values: readonly unknown[]): Html {
  return new Html(parts.map((part, i) => i === 0 ? part : toText(values[i - 1]) + part).join(""));
}

function toText(value: unknown): string {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(toText).join("");
  return String(value).replaceAll(/[&<>"']/g, (character) => ENTITIES[character]);
}
