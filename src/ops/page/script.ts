/**
 * Keeps the page up to date: it asks for the page again and changes only what differs, so that nothing flickers and
 * the focus, the selection and what is typed stay. Without it the page asks for itself anew.
 */
export const script = `
const every = 3000;
const find = (id) => document.getElementById(id);
const pause = find('pause'), silent = find('silent');
let timer, running = true, asked = 0;

function become(old, now) {
  if (old.nodeType !== now.nodeType || old.nodeName !== now.nodeName) return old.replaceWith(now);
  if (old.nodeType !== 1) { if (old.nodeValue !== now.nodeValue) old.nodeValue = now.nodeValue; return; }
  for (const { name } of [...old.attributes]) if (!now.hasAttribute(name) && name !== 'open') old.removeAttribute(name);
  for (const { name, value } of now.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const kept = [...old.childNodes], next = [...now.childNodes];
  const keyed = new Map(kept.filter((node) => node.dataset?.key).map((node) => [node.dataset.key, node]));
  next.forEach((node, index) => {
    const known = node.dataset?.key ? keyed.get(node.dataset.key) : undefined;
    const there = old.childNodes[index];
    if (known && known !== there) old.insertBefore(known, there ?? null);
    const mine = old.childNodes[index];
    if (mine === undefined) old.append(node);
    else if (node.dataset?.key && !known) old.insertBefore(node, mine);
    else become(mine, node);
  });
  while (old.childNodes.length > next.length) old.lastChild.remove();
}

async function refresh() {
  clearTimeout(timer);
  const mine = ++asked;
  try {
    const answer = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(10000) });
    if (!answer.ok) throw new Error('The agent answers ' + answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    if (mine !== asked) return;
    document.title = page.title;
    const focused = document.activeElement;
    become(find('live'), page.getElementById('live'));
    // What is moved loses the focus.
    if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
    silent.hidden = true;
  } catch (error) {
    if (mine !== asked) return;
    if (silent.hidden) silent.querySelector('time').textContent = new Date().toLocaleTimeString();
    silent.hidden = false;
  }
  if (running && !document.hidden) timer = setTimeout(refresh, every);
}

pause.hidden = false;
pause.addEventListener('click', () => {
  running = !running;
  pause.setAttribute('aria-pressed', String(!running));
  if (running) refresh(); else clearTimeout(timer);
});
document.addEventListener('visibilitychange', () => { if (running && !document.hidden) refresh(); });
document.addEventListener('input', ({ target }) => {
  const form = target.closest('form');
  if (!form) return;
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ''));
  history.replaceState(null, '', query.size ? '?' + query : location.pathname);
  refresh();
});
document.addEventListener('submit', (event) => { event.preventDefault(); refresh(); });
timer = setTimeout(refresh, every);
`;
