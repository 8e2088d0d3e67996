import { type Command, Option } from 'commander';
import { groups } from '../config/setting.ts';
import { flagOf, settings } from '../config/settings.ts';
import { didYouMean } from '../util/did-you-mean.ts';

/**
 * Adds a flag for every setting to the command, under the headings of the table.
 *
 * @param shown beginnings of the variables that the command's help tells of; the others work all the same, so that
 *   one environment serves every command.
 */
export function addSettings(command: Command, shown: readonly string[] = ['']): void {
  for (const group of groups) {
    command.optionsGroup(`Settings: ${group}`);
    for (const setting of Object.values(settings).filter((one) => one.group === group)) {
      const { variable, placeholder, meaning, default: text } = setting;
      const note = text === '' ? variable : `${variable}, default ${text}`;
      const option = new Option(`${flagOf(variable)} <${placeholder}>`, `${meaning} (${note})`);
      command.addOption(option.hideHelp(!shown.some((beginning) => variable.startsWith(beginning))));
    }
  }
}

/** The settings among the parsed options of a command, by variable. */
export function settingsOf(command: Command): Record<string, string> {
  const options = command.opts<Record<string, unknown>>();
  const flags: Record<string, string> = {};
  for (const { variable } of Object.values(settings)) {
    const key = variable.toLowerCase().replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const value = options[key];
    if (typeof value === 'string') flags[variable] = value;
  }
  return flags;
}

export interface CheckedArguments {
  /** What remains for the command to parse: nothing in it is unknown or lacks its value. */
  readonly args: readonly string[];
  /** One sentence for each flag that is unknown or lacks its value. */
  readonly mistakes: readonly string[];
}

/** Takes the flags out that the command does not know, so that all of them can be told and not only the first. */
export function checkFlags(command: Command, args: readonly string[]): CheckedArguments {
  const mistakes: string[] = [];
  const kept: string[] = [];
  let operands = 0;
  const help = ['--help', '-h'];
  const names = [...command.options.flatMap(({ long, short }) => [long ?? '', short ?? '']), ...help];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '--') return { args: [...kept, ...args.slice(index)], mistakes };
    if (!arg.startsWith('-') || arg === '-') {
      operands += 1;
      kept.push(arg);
      continue;
    }
    const flag = arg.split('=', 1)[0] ?? arg;
    const option = command.options.find(({ long, short }) => flag === long || flag === short);
    const needsMore = option?.required === true && flag === arg;
    if (!names.includes(flag)) {
      mistakes.push(`${flag} is no flag of «frostbeat ${command.name()}»${guess(flag, names)}`);
      // What follows is most likely its value, unless the command still lacks an argument of its own.
      const complete = operands >= command.registeredArguments.length;
      if (flag === arg && complete && !(args[index + 1] ?? '-').startsWith('-')) index += 1;
    } else if (needsMore && index + 1 === args.length) {
      mistakes.push(`${flag} is the last argument: a value must follow it`);
    } else {
      kept.push(arg);
      if (needsMore) kept.push(args[(index += 1)] ?? '');
    }
  }
  return { args: kept, mistakes };
}

function guess(flag: string, names: readonly string[]): string {
  const meant = didYouMean(flag, names);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}
