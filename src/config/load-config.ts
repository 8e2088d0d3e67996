import { ConfigError } from '../util/config-error.ts';
import type { Config } from './config.ts';
import { crossCheck } from './cross-check.ts';
import { kafkaAccess, withoutKafka } from './kafka-settings.ts';
import { searchAccess, withoutSearch } from './search-settings.ts';
import type { Setting } from './setting.ts';
import { naming, settings, type Values } from './settings.ts';
import { stateDirTrouble } from './state-dir.ts';

/** Texts of settings by variable; what is absent or undefined is not set. */
export type Texts = Readonly<Record<string, string | undefined>>;

export interface ConfigInput {
  readonly env: Texts;
  /** By variable too, only what was given; a flag wins over the environment. */
  readonly flags?: Readonly<Record<string, string>>;
  /** What relative paths are relative to; absolute. */
  readonly cwd: string;
  /** What the command is going to do: only the agent must know its node, and needs a directory for its state. */
  readonly checks: { readonly node: boolean; readonly stateDir: boolean };
}

/** One setting as it stands. */
export interface InForce {
  readonly variable: string;
  /** As given or by default; secrets are masked. */
  readonly value: string;
  readonly source: 'default' | 'environment' | 'flag';
  readonly wrong: boolean;
}

export interface LoadedConfig {
  /** Undefined where there are mistakes. */
  readonly config: Config | undefined;
  /** Every setting, right or wrong, in the order of the table. */
  readonly inForce: readonly InForce[];
  /** Each a sentence: the variable and its flag, the value (secrets masked), what would be right. */
  readonly mistakes: readonly string[];
}

/** Reads every setting from flags, environment and defaults, and gathers all the mistakes. Never throws. */
export function loadConfig({ env, flags = {}, cwd, checks }: ConfigInput): LoadedConfig {
  const values: Partial<Record<string, unknown>> = {};
  const mistakes: string[] = [];
  const inForce: Omit<InForce, 'wrong'>[] = [];
  const texts = (variable: string): string => textOf(variable, { env, flags });

  for (const [key, setting] of Object.entries(settings) as [string, Setting<unknown>][]) {
    const text = texts(setting.variable);
    const parsed = setting.parse(text, cwd);
    if ('value' in parsed) values[key] = parsed.value;
    else mistakes.push(`${naming(setting.variable)} is ${quote(setting, text)}: it must be ${parsed.mustBe}`);
    inForce.push({
      variable: setting.variable,
      value: shown(setting, text),
      source: sourceOf(setting.variable, { env, flags }),
    });
  }

  const parsed = values as Partial<Values>;
  mistakes.push(...crossCheck(parsed, checks));
  if (checks.stateDir && parsed.stateDir !== undefined) {
    const trouble = stateDirTrouble(parsed.stateDir);
    if (trouble !== undefined) {
      mistakes.push(
        `${naming('STATE_DIR')} is "${parsed.stateDir}": it must be a directory that the agent can write, and ${trouble}`,
      );
    }
  }
  const config = mistakes.length === 0 ? toConfig(values as Values, { ...env, ...flags }) : undefined;
  const isWrong = (variable: string): boolean =>
    mistakes.some((mistake) => mistake.startsWith(naming(variable)));
  return { config, mistakes, inForce: inForce.map((one) => ({ ...one, wrong: isWrong(one.variable) })) };
}

/** The configuration. @throws ConfigError with all the mistakes, where there are any. */
export function validConfig({ config, mistakes }: LoadedConfig): Config {
  if (config === undefined) throw new ConfigError(mistakes);
  return config;
}

function sourceOf(variable: string, { env, flags }: { env: Texts; flags: Texts }): InForce['source'] {
  if (flags[variable] !== undefined) return 'flag';
  return env[variable] === undefined ? 'default' : 'environment';
}

function textOf(variable: string, given: { env: Texts; flags: Texts }): string {
  const setting = Object.values<Setting<unknown>>(settings).find(
    (candidate) => candidate.variable === variable,
  );
  const text = given.flags[variable] ?? given.env[variable];
  if (text !== undefined) return setting?.verbatim ? text : text.trim();
  return (setting?.default ?? '').replaceAll(/<([A-Z_]+)>/g, (_, other: string) => textOf(other, given));
}

function shown(setting: Setting<unknown>, text: string): string {
  return text === '' || setting.mask === undefined ? text : setting.mask(text);
}

function quote(setting: Setting<unknown>, text: string): string {
  return text === '' ? 'empty' : `"${shown(setting, text)}"`;
}

function toConfig(values: Values, writerOptions: Texts): Config {
  const {
    etcdUsername,
    etcdPassword,
    etcdPasswordFile,
    etcdCaFile,
    etcdCertFile,
    etcdKeyFile,
    filePath,
    fileMaxSize,
    fileMaxAgeMs,
    fileGzip,
    fileKeepAgeMs,
    fileKeepSize,
    s3Bucket,
    s3Prefix,
    s3Region,
    s3Endpoint,
    s3PathStyle,
    s3ObjectSize,
    s3ObjectAgeMs,
    s3GzipLevel,
    gcsBucket,
    gcsPrefix,
    gcsEndpoint,
    gcsObjectSize,
    gcsObjectAgeMs,
    gcsGzipLevel,
    serveHost,
    serveUsername,
    servePasswordFile,
    serveUserHeader,
    ...same
  } = values;
  const tls = etcdCaFile ?? etcdCertFile;
  return {
    ...withoutKafka(withoutSearch(same)),
    etcdServers: values.etcdServers.map(
      ({ scheme, host }) => `${scheme ?? (tls === undefined ? 'http' : 'https')}://${host}`,
    ),
    etcd: {
      username: etcdUsername,
      password: etcdPassword,
      passwordFile: etcdPasswordFile,
      caFile: etcdCaFile,
      certFile: etcdCertFile,
      keyFile: etcdKeyFile,
    },
    file: {
      path: filePath,
      maxBytes: fileMaxSize,
      maxAgeMs: fileMaxAgeMs,
      gzip: fileGzip,
      keepAgeMs: fileKeepAgeMs,
      keepBytes: fileKeepSize,
    },
    elasticsearch: searchAccess(values, 'elasticsearch'),
    opensearch: searchAccess(values, 'opensearch'),
    s3: {
      bucket: s3Bucket ?? '',
      prefix: s3Prefix,
      region: s3Region,
      endpoint: s3Endpoint,
      pathStyle: s3PathStyle,
      objectBytes: s3ObjectSize,
      objectAgeMs: s3ObjectAgeMs,
      gzipLevel: s3GzipLevel,
    },
    gcs: {
      bucket: gcsBucket ?? '',
      prefix: gcsPrefix,
      endpoint: gcsEndpoint,
      objectBytes: gcsObjectSize,
      objectAgeMs: gcsObjectAgeMs,
      gzipLevel: gcsGzipLevel,
    },
    kafka: kafkaAccess(values),
    serve: {
      host: serveHost,
      username: serveUsername,
      passwordFile: servePasswordFile,
      userHeader: serveUserHeader,
    },
    writerOptions,
  };
}
