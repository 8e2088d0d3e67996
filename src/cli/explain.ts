import type { Config } from '../config/config.ts';
import { explain } from '../explain/explain.ts';
import type { ContainerExplanation, Explanation, PodExplanation } from '../explain/explanation.ts';
import { humanBytes, humanCount, humanSeconds } from '../util/human.ts';
import { inert } from '../util/inert.ts';
import type { Context } from './context.ts';

export interface ExplainRequest extends Pick<Context, 'stdout' | 'stderr' | 'signal'> {
  readonly pod: string;
  readonly output: 'text' | 'json';
  readonly config: Config;
}

/** `frostbeat explain <pod>`: why its lines are seen, or not; 1 where no such pod is known here, else 0. */
export async function explainCommand({
  pod,
  output,
  config,
  stdout,
  stderr,
  signal,
}: ExplainRequest): Promise<number> {
  const explanation = await explain(pod, config, signal);
  if (output === 'json') stdout.write(`${JSON.stringify(explanation, null, 2)}\n`);
  else stdout.write(asText(explanation));
  if (explanation.pods.length > 0) return 0;
  if (output === 'text') {
    stderr.write(
      `frostbeat: no pod on this node is called «${inert(pod)}»: try its name, namespace/name, or a part of it (${inert(explanation.note)})\n`,
    );
  }
  return 1;
}

function asText({ pods, note }: Explanation): string {
  if (pods.length === 0) return '';
  return `${pods.map(podText).join('\n')}\n(${inert(note)})\n`;
}

function podText(one: PodExplanation): string {
  const lines = [
    `${one.namespace}/${one.pod}: ${verdict(one)}`,
    ...one.rules.map(({ met, text }) => `  ${met === null ? '?' : met ? '✓' : '✗'} ${text}`),
    ...one.containers.flatMap(containerText),
  ];
  return `${lines.map(inert).join('\n')}\n`;
}

function verdict({ followed, containers, rules }: PodExplanation): string {
  const broken = rules.some(({ met }) => met === false);
  if (!followed)
    return broken
      ? 'not followed, for what is marked ✗'
      : 'not followed now, though nothing here speaks against it';
  const odd = containers.filter(({ state }) => state !== 'reading' && state !== 'quiet');
  if (odd.length === 0) return 'followed, and all that it wrote is read';
  return `followed; ${odd.map(({ container, state }) => `${container} is ${state === 'no records' ? 'without records' : state}`).join(', ')}`;
}

function containerText(one: ContainerExplanation): string[] {
  const { container, state, why, counts, behindBytes, behindSeconds, samples, files } = one;
  const behind =
    behindBytes === null || behindBytes === 0
      ? []
      : [`    ${humanBytes(behindBytes)} unread, the oldest ${humanSeconds(behindSeconds ?? 0)} old`];
  const account =
    counts === null
      ? []
      : [
          `    ${humanCount(counts.lines)} lines since the start: ${humanCount(counts.records)} records, ${humanCount(counts.delivered)} lines delivered, ${humanCount(counts.inFlight)} in flight, ${humanCount(counts.deadLettered)} dead letters`,
          ...Object.entries(counts.skipped).map(([reason, count]) => {
            const sample = samples.find((each) => each.reason === reason);
            return `    ${humanCount(count)} skipped: ${reason}${sample === undefined ? '' : `, for example «${short(sample.text)}»`}`;
          }),
        ];
  return [
    '',
    `  ${container}${state === null ? '' : `: ${state}`}${why === '' ? '' : `. ${why}`}`,
    ...behind,
    ...account,
    ...files.map((file) => {
      const read = file.read === undefined ? '' : `read to ${humanCount(file.read)}, `;
      return `    ${file.name}: ${read}settled to ${humanCount(file.offset)} of ${humanCount(file.size)}${file.state === undefined ? '' : ` (${file.state})`}`;
    }),
  ];
}

function short(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
