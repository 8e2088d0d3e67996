import { humanSeconds } from '../../util/human.ts';
import type { ContainerState, ContainerStatus } from '../status.ts';
import { type Html, html } from './html.ts';

/** How long ago a time was, its exact value at hand. */
export function ago(time: string | null, now: string): Html {
  if (time === null) return html`never`;
  const seconds = Math.max(0, (Date.parse(now) - Date.parse(time)) / 1000);
  return html`<time datetime="${time}" title="${time}"
    >${seconds < 1 ? 'now' : `${humanSeconds(seconds)} ago`}</time
  >`;
}

const tones: Partial<Readonly<Record<ContainerState, 'good' | 'warn' | 'bad'>>> = {
  failing: 'bad',
  waiting: 'bad',
  behind: 'warn',
  'no records': 'warn',
  reading: 'good',
  quiet: 'good',
};

export function stateCell({ state, why }: Pick<ContainerStatus, 'state' | 'why'>): Html {
  return html`<span class="cell"
    ><span class="state ${tones[state] ?? 'dim'}">${state}</span>${
      why === '' ? null : html`<span class="why">${why}</span>`
    }</span
  >`;
}

/** All its lines that are no record. */
export function skippedOf({ skipped }: Pick<ContainerStatus, 'skipped'>): number {
  return Object.values(skipped).reduce((sum, count) => sum + count, 0);
}

/** One figure and what it is. */
export function tile(label: string, value: Html | string, more = ''): Html {
  return html`<div>
    <dt>${label}</dt>
    <dd>${value}${more === '' ? null : html` <small>${more}</small>`}</dd>
  </div>`;
}
