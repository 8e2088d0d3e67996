import { readFile } from 'node:fs/promises';
import packageJson from '../../package.json' with { type: 'json' };
import { settings } from '../../src/config/settings.ts';
import { helmTemplate } from '../support/helm.ts';
import { values } from './values-table.ts';

const chart = 'deploy/chart';

/** Settings that other values of the chart decide. */
const decided = new Set(['NODE_NAME', 'POD_LOG_DIR', 'STATE_DIR', 'HTTP_PORT']);
/** Settings whose text is a secret, which belongs into no manifest; the files that hold one are fine. */
const isSecret = (variable: string) => /(PASSWORD|SECRET|TOKEN|API_KEY)(?!.*_FILE$)/.test(variable);

/** What a file of deploy/ has to be: its path, and the text that is derived from the sources. */
export interface GeneratedFile {
  readonly path: string;
  readonly make: () => Promise<string>;
}

/**
 * The files of deploy/ that are derived, wholly or in part, in the order in which they build on each other.
 * `npm run manifests` writes them; a test tells when they are stale.
 */
export function generatedFiles(helm: string): GeneratedFile[] {
  return [
    {
      path: `${chart}/Chart.yaml`,
      make: async () =>
        (await readFile(`${chart}/Chart.yaml`, 'utf8')).replaceAll(
          /^(version|appVersion): .*$/gm,
          `$1: ${packageJson.version}`,
        ),
    },
    { path: `${chart}/values.schema.json`, make: schema },
    { path: `${chart}/README.md`, make: readme },
    {
      path: 'deploy/install.yaml',
      make: async () => `${installHead}${await helmTemplate(helm, chart, ['--set', 'createNamespace=true'])}`,
    },
  ];
}

const installHead = `# Made from deploy/chart by «npm run manifests»: do not edit it in the project. To install it as it is, say your
# image and your settings (the environment of the DaemonSet) in a copy, then: kubectl apply -f install.yaml
`;

async function schema(): Promise<string> {
  const path = `${chart}/values.schema.json`;
  const whole = JSON.parse(await readFile(path, 'utf8')) as {
    properties: { settings: { properties: object } };
  };
  whole.properties.settings.properties = Object.fromEntries(
    Object.values(settings)
      .filter(
        ({ variable, group }) =>
          group !== 'serve' && group !== 'Reading' && !decided.has(variable) && !isSecret(variable),
      )
      .map(({ variable, meaning }) => [
        variable,
        { type: ['string', 'integer', 'boolean'], description: meaning },
      ]),
  );
  return `${JSON.stringify(whole, null, 2)}\n`;
}

async function readme(): Promise<string> {
  const text = await readFile(`${chart}/README.md`, 'utf8');
  const rows = (await values()).map(
    ({ path, value, meaning }) => `| \`${path}\` | \`${value}\` | ${meaning} |`,
  );
  const table = ['| Value | Default | Meaning |', '|---|---|---|', ...rows].join('\n');
  return text.replace(/(<!-- values:.*-->\n)[\s\S]*?(<!-- \/values -->)/, `$1${table}\n$2`);
}
