/**
 * How often an option may be given, and with which values. No option takes another option's argument, and no value is silently
 * lost.
 *
 * @module
 */

import type { CommandUnknownOpts, Option } from "@commander-js/extra-typings";

/** Collects all values of an option that may be repeated. */
export function collect(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), text];
}

/**
 * Makes the options of these commands refuse input that would be lost silently: a second, different value for an option that takes
 * one, or an option name in the place of a value.
 */
export function guardOptions(commands: readonly CommandUnknownOpts[]): void {
  for (const command of commands) {
    for (const option of command.options) if (option.required || option.optional) guard(command, option);
  }
}

function guard(command: CommandUnknownOpts, option: Option): void {
  const parse = option.parseArg;
  let first: string | undefined;
  option.argParser((text: string, before: unknown) => {
    if (/^--|^-[a-z]$/i.test(text) && !isAssigned(command, option, text)) {
      const how = `write ${option.long}=${text} if it is the value`;
      command.error(`error: option '${option.flags}' needs a value, and ${text} looks like an option; ${how}`);
    }
    if (parse === collect) return collect(text, before as string[] | undefined);
    if (first !== undefined && first !== text) {
      command.error(`error: option '${option.flags}' is given twice with different values; give it once`);
    }
    first = text;
    return parse ? parse(text, before) : text;
  });
}

/** Whether the value was given after an equals sign. */
function isAssigned(command: CommandUnknownOpts, option: Option, text: string): boolean {
  let top = command;
  while (top.parent) top = top.parent;
  const { rawArgs = [] } = top as { rawArgs?: readonly string[] };
  return rawArgs.includes(`${option.long}=${text}`);
}
