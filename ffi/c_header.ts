/**
 * Reads the part of C that our native headers use: `#define NAME number`, `enum name { … }` and `SOTTO_API`
 * function declarations. Anything else inside a declaration is refused, so that a symbol table cannot be wrong
 * quietly.
 *
 * @module
 */

/** A parameter of a native function. */
export interface CParameter {
  /** As declared, spaces normalized: `const float *samples`. */
  readonly declaration: string;
  /** The type alone: `const float *`. */
  readonly type: string;
  readonly name: string;
}

/** A native function. */
export interface CFunction {
  readonly name: string;
  readonly result: string;
  readonly parameters: readonly CParameter[];
}

/** A named number: a `#define`, or a value of an enum. */
export interface CConstant {
  readonly name: string;
  readonly value: number;
}

/** An enum with explicit values. */
export interface CEnum {
  readonly name: string;
  readonly values: readonly CConstant[];
}

/** What a header declares, each kind in the header's order. */
export interface CHeader {
  readonly defines: readonly CConstant[];
  readonly enums: readonly CEnum[];
  readonly functions: readonly CFunction[];
}

/**
 * Parses a header.
 *
 * @throws {SyntaxError} if a declaration is outside the subset above.
 */
export function parseHeader(source: string): CHeader {
  const text = source.replaceAll(/\/\*[\s\S]*?\*\//g, " ").replaceAll(/\/\/[^\n]*/g, " ");
  const code = text.replaceAll(/^[ \t]*#.*$/gm, " ");
  return { defines: parseDefines(text), enums: parseEnums(code), functions: parseFunctions(code) };
}

function parseDefines(text: string): CConstant[] {
  return [...text.matchAll(/^[ \t]*#define[ \t]+(\w+)[ \t]+(\d+)[ \t]*$/gm)]
    .map(([, name, value]) => ({ name, value: Number(value) }));
}

function parseEnums(code: string): CEnum[] {
  return [...code.matchAll(/\benum\s+(\w+)\s*\{([^}]*)\}/g)].map(([, name, body]) => {
    const values = body.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "").map(
      (entry) => {
        const match = /^(\w+)\s*=\s*(-?\d+)$/.exec(entry);
        if (!match) {
          throw new SyntaxError(`Cannot read enum ${name}: each value must be NAME = number, got "${entry}"`);
        }
        return { name: match[1], value: Number(match[2]) };
      },
    );
    return { name, values };
  });
}

function parseFunctions(code: string): CFunction[] {
  return code.split(/\bSOTTO_API\b/).slice(1).map((rest) => {
    const declaration = rest.slice(0, rest.indexOf(";")).replaceAll(/\s+/g, " ").trim();
    const match = /^(.+?[ *])(\w+) ?\((.*)\)$/.exec(declaration);
    if (!match || !rest.includes(";")) {
      throw new SyntaxError(`Cannot read a declaration of SOTTO_API: got "${declaration.slice(0, 80)}"`);
    }
    const [, result, name, list] = match;
    const parameters = list.trim() === "void"
      ? []
      : list.split(",").map((parameter) => parseParameter(name, parameter));
    return { name, result: result.trim(), parameters };
  });
}

function parseParameter(functionName: string, source: string): CParameter {
  const declaration = source.trim();
  const match = /^([\w ]+?(?: \*| ))(\w+)$/.exec(declaration);
  if (!match) {
    throw new SyntaxError(
      `Cannot read a parameter of ${functionName}: must be "type name", got "${declaration}"`,
    );
  }
  return { declaration, type: match[1].trim(), name: match[2] };
}
