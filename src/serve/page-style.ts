/** The page's style: light and dark, wide and narrow, without anything to load. */
export const pageStyle = `
${['line', 'dim', 'link', 'trace', 'debug', 'info', 'warn', 'error', 'fatal']
  // Registered as colours, so that the canvas is told what light-dark() comes to.
  .map((name) => `@property --${name} { syntax: '<color>'; inherits: true; initial-value: gray }`)
  .join('\n')}
:root { color-scheme: light dark;
  --page: light-dark(#f6f8fa, #0e1318); --card: light-dark(#fff, #171e25); --line: light-dark(#d9e0e7, #2b353f);
  --text: light-dark(#17202a, #e3e9ef); --dim: light-dark(#566371, #97a5b3); --link: light-dark(#0b5cad, #74b5f5);
  --trace: light-dark(#5f6b77, #8d9aa7); --debug: light-dark(#3f6690, #7fa6d1); --info: light-dark(#14713a, #5fce8c);
  --warn: light-dark(#8a5000, #f0b45c); --error: light-dark(#b8231a, #ff8f86); --fatal: light-dark(#8e1280, #ff8ff0);
  --badish: light-dark(#fdeae8, #351614); --warnish: light-dark(#fdf1dc, #2f2410) }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.45 system-ui, sans-serif }
header, main { padding: 0 1.25rem } header { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1.5rem; padding-top: .75rem; padding-bottom: .75rem; border-bottom: 1px solid var(--line); background: var(--card) }
h1 { font-size: 1.15rem; margin: 0 } h1 a { color: inherit; text-decoration: none } h2 { font-size: 1.1rem; margin: 1rem 0 .25rem } h3 { font-size: .85rem; margin: .75rem 0 .25rem; color: var(--dim) }
.id { font-family: ui-monospace, monospace; overflow-wrap: anywhere } p { margin: .25rem 0 }
a { color: var(--link) } :focus-visible { outline: 3px solid var(--link); outline-offset: 1px; border-radius: 3px } main:focus-visible { outline: 0 }
.skip { position: absolute; left: -99rem } .skip:focus { left: 1rem; top: .5rem; background: var(--card); padding: .25rem .5rem; z-index: 9 }
.dim { color: var(--dim) } .num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
form, .bar { display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: center } form { flex: 1 } form input { flex: 1; max-width: 36rem; font-family: ui-monospace, monospace }
button, input, select { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .3rem .6rem; min-width: 0 } button { cursor: pointer }
.bar { margin: .6rem 0 } .bar input[type=search] { flex: 0 1 24rem }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 8px; position: relative }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .35rem .75rem; border-top: 1px solid var(--line) }
thead th.num { text-align: right } .began { white-space: nowrap; font-variant-numeric: tabular-nums }
thead th { border-top: 0; font-size: .85rem; color: var(--dim); font-weight: 500; white-space: nowrap }
.recent .says { max-width: 26rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap } .recent .id { max-width: 14rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
tr.bad { background: var(--badish) }
span.level { font-weight: 600; font-size: .8rem; color: var(--dim) } span.trace { color: var(--trace) } span.debug { color: var(--debug) } span.info { color: var(--info) } span.warn { color: var(--warn) } span.error { color: var(--error) } span.fatal { color: var(--fatal) }
.cause { margin: .6rem 0; padding: .5rem 1rem; border-radius: 8px; border-left: 6px solid var(--error); background: var(--badish) } .cause.warn { border-color: var(--warn); background: var(--warnish) }
.cause .bar { margin: 0 } .cause strong { overflow-wrap: anywhere } .cause dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 .75rem; margin: .25rem 0 0; font: 13px/1.5 ui-monospace, monospace } .cause dt { color: var(--dim) } .cause dd { margin: 0; overflow-wrap: anywhere }
.trace-state { margin: .6rem 0; padding: .4rem 1rem; border-left: 6px solid var(--line); background: var(--card); border-radius: 8px; overflow-wrap: anywhere } .trace-state.complete { border-color: var(--info) } .trace-state.open { border-color: var(--warn); background: var(--warnish) } .trace-state.incomplete { border-color: var(--error) } .trace-state.complete strong { color: var(--info) } .trace-state.open strong { color: var(--warn) } .trace-state.incomplete strong { color: var(--error) }
.trace-state details { color: var(--dim); font-size: .85rem } .trace-state summary { cursor: pointer } .trace-state .scroll { margin: .4rem 0; width: fit-content; max-width: 100% } .trace-state table { width: auto } .trace-state td, .trace-state tbody th { font-weight: 400; color: var(--text) }
code { font: .9em ui-monospace, monospace; background: var(--page); border: 1px solid var(--line); border-radius: 4px; padding: 0 .3rem }
.chip { font-size: .8rem; color: var(--dim) } .chip.complete { color: var(--info) } .chip.open { color: var(--warn) } .chip.incomplete { color: var(--error); font-weight: 600 }
.timeline { display: flex; background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin: .6rem 0; overflow: auto; max-height: 40vh }
.names { flex: none; max-width: 40%; padding: 0 .5rem; border-right: 1px solid var(--line) } .names .lane { height: 22px; line-height: 22px; font-size: 12px; max-width: 20rem }
.track { flex: 1; min-width: 8rem } canvas { display: block; width: 100%; cursor: pointer }
.lane { display: flex; overflow: hidden; white-space: nowrap; color: light-dark(oklch(45% .12 var(--hue)), oklch(80% .1 var(--hue))) }
.lane > * { overflow: hidden; text-overflow: ellipsis } .lane > :first-child { flex: 0 1 auto; min-width: 2.5em } .lane > :last-child { flex: 0 0 auto; max-width: 75% }
.live { margin-left: auto; color: var(--dim); font-size: .85rem } .live.on { color: var(--info) } .live.on::before { content: "● " }
.split { display: flex; gap: .75rem; align-items: flex-start; padding-bottom: 1rem }
.lines { flex: 1; min-width: 0; max-height: max(16rem, calc(100vh - 25rem)); overflow: auto; background: var(--card); border: 1px solid var(--line); border-radius: 8px }
.inner { position: relative; min-width: 44rem }
.row { position: absolute; left: 0; right: 0; height: 26px; line-height: 26px; display: flex; gap: .6rem; padding: 0 .6rem; white-space: pre; font-size: 13px; cursor: pointer }
.row:hover { background: color-mix(in srgb, var(--link) 8%, transparent) } .row.error, .row.fatal { background: var(--badish) } .row.warn { background: var(--warnish) }
.row[aria-selected=true] { box-shadow: inset 3px 0 var(--link); background: color-mix(in srgb, var(--link) 12%, transparent) }
.row > * { flex: none; overflow: hidden; text-overflow: ellipsis } .time { width: 5.2rem; text-align: right; font-variant-numeric: tabular-nums; color: var(--dim) } .gaps { width: 40px } .gap { display: inline-block; height: 8px; background: var(--line); border-radius: 2px } .gap.long { background: var(--warn) }
.row span.level { width: 3.2rem } .row .lane { width: 13rem } .row .message { flex: 0 1 auto; min-width: 8rem } .row .fields { flex: 1 1 4rem; color: var(--dim); font: 12px/26px ui-monospace, monospace }
.aside { flex: 0 1 38%; min-width: 0 } .aside:empty { display: none } .detail { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .25rem 1rem 1rem } .close { margin-left: auto } .text { white-space: pre-wrap; overflow-wrap: anywhere; font-weight: 600 }
pre { margin: 0; padding: .5rem .75rem; background: var(--page); border: 1px solid var(--line); border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; font: 12px/1.45 ui-monospace, monospace; max-height: 60vh; overflow: auto }
[hidden] { display: none !important }
@media (max-width: 56rem) {
  header, main { padding-left: .75rem; padding-right: .75rem } .split { flex-direction: column; align-items: stretch } .lines { flex: none; max-height: 60vh } .aside { order: -1 }
  header form { flex-basis: 100% }
  .inner { min-width: 0 } .row .lane { width: 6.5rem } .row .fields, .gaps { display: none } .names { max-width: 32% } .time { width: 4rem } .recent .says { max-width: 14rem }
}
@media (max-width: 40rem) {
  /* The first words of a trace and how it went, before the figures. */
  .recent thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) } .recent, .recent tbody { display: block }
  .recent tr { display: grid; grid-template: "worst began took there" "says says says says" "id id id id" / auto 1fr auto auto; gap: 0 .75rem; align-items: baseline; padding: .4rem .75rem; border-top: 1px solid var(--line) } .recent tbody tr:first-child { border-top: 0 }
  .recent td { padding: 0; border: 0 } .recent .extra { display: none } .recent .says, .recent .id { max-width: none } .recent .began, .recent .took { font-size: .85rem; color: var(--dim) }
  .recent .worst { grid-area: worst } .recent .began { grid-area: began; min-width: 0; overflow: hidden; text-overflow: ellipsis } .recent .took { grid-area: took } .recent .there { grid-area: there } .recent .says { grid-area: says } .recent .id { grid-area: id; font-size: .85rem }
}
`;
