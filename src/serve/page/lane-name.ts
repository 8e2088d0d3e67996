import { el } from './dom.ts';

/** `pod/container` in its colour. Where there is no room the pod's name is cut, whose end says little. */
export function laneName(lane: string, hue: string): HTMLElement {
  const slash = lane.lastIndexOf('/');
  const [pod, container] = slash < 0 ? [lane, ''] : [lane.slice(0, slash), lane.slice(slash)];
  const name = el('span', { class: 'lane', title: lane }, el('span', {}, pod), el('span', {}, container));
  name.style.setProperty('--hue', hue);
  return name;
}
