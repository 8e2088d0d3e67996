/** The page's style: light and dark, wide and narrow, without anything to load. */
export const style = `
:root { color-scheme: light dark;
  --page: light-dark(#f6f8fa, #0e1318); --card: light-dark(#fff, #171e25); --line: light-dark(#d9e0e7, #2b353f);
  --text: light-dark(#17202a, #e3e9ef); --dim: light-dark(#566371, #97a5b3); --link: light-dark(#0b5cad, #74b5f5);
  --good: light-dark(#14713a, #5fce8c); --warn: light-dark(#8a5200, #f0b45c); --bad: light-dark(#b3261e, #ff8f86);
  --goodish: light-dark(#e4f4ea, #12291c); --warnish: light-dark(#fdf1dc, #2f2410); --badish: light-dark(#fdeae8, #351614) }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.45 system-ui, sans-serif }
main, header { max-width: 84rem; margin: 0 auto; padding: 0 1.25rem }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1rem; padding-top: 1rem }
h1 { font-size: 1.25rem; margin: 0 } h2 { font-size: 1.05rem; margin: 1.75rem 0 .5rem }
a { color: var(--link) } a:hover { text-decoration-thickness: 2px }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px }
.skip { position: absolute; left: -99rem } .skip:focus { left: 1rem; top: .5rem; background: var(--card); padding: .25rem .5rem }
.dim { color: var(--dim) } .num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.right { margin-left: auto; display: flex; gap: 1rem; align-items: baseline }
button, input, select { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .3rem .6rem }
button { cursor: pointer }
.banner { margin: 1rem 0; padding: .75rem 1rem; border-radius: 8px; border-left: 6px solid; font-weight: 600 }
.banner.good { background: var(--goodish); border-color: var(--good) } .banner.warn { background: var(--warnish); border-color: var(--warn) }
.banner.bad { background: var(--badish); border-color: var(--bad) }
.problems { list-style: none; margin: 0; padding: 0; display: grid; gap: .6rem }
.problems li { background: var(--card); border: 1px solid var(--line); border-left: 6px solid var(--warn); border-radius: 8px; padding: .6rem 1rem }
.problems li.bad { border-left-color: var(--bad); color: var(--text) } .problems strong { color: var(--warn) } .problems .bad strong { color: var(--bad) }
.problems p { margin: .15rem 0; overflow-wrap: anywhere } .problems strong { overflow-wrap: anywhere }
.todo::before { content: "→ "; font-weight: 700 }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.1rem, 1fr)); gap: .6rem; margin: 1rem 0 0; padding: 0 }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .5rem .8rem }
dt { color: var(--dim); font-size: .85rem } dd { margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums } dd small { display: block; color: var(--dim); font-size: .8rem }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 8px }
table { border-collapse: collapse; width: 100% } .scroll { position: relative } caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
th, td { text-align: left; padding: .4rem .75rem; border-top: 1px solid var(--line); vertical-align: top }
thead th { border-top: 0; font-size: .85rem; color: var(--dim); font-weight: 500; white-space: nowrap } th.num { text-align: right }
tbody th { font-weight: 500; overflow-wrap: anywhere; min-width: 12rem } tbody tr:hover { background: color-mix(in srgb, var(--link) 6%, transparent) }
.why { display: block; color: var(--dim); font-size: .85rem; overflow-wrap: anywhere; max-width: 34rem }
.state { font-weight: 600; white-space: nowrap } .state::before { content: "● " } .good { color: var(--good) } .warn { color: var(--warn) } .bad { color: var(--bad) } .banner { color: var(--text) }
form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: .5rem 0 } input[type=search] { min-width: min(20rem, 60vw) }
pre { margin: .25rem 0; padding: .5rem .75rem; background: var(--page); border: 1px solid var(--line); border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.4 ui-monospace, monospace }
.log { list-style: none; margin: 0; padding: 0 } .log li { padding: .35rem .75rem; border-top: 1px solid var(--line); overflow-wrap: anywhere } .log li:first-child { border-top: 0 }
.log .what { color: var(--dim); font-size: .85rem } footer { margin: 2rem 0; color: var(--dim); font-size: .85rem }
[hidden] { display: none !important }
@media (max-width: 46rem) {
  main, header { padding-left: .75rem; padding-right: .75rem } .right { margin-left: 0 }
  .cards thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) } .cards tr { display: block; padding: .5rem .75rem; border-top: 1px solid var(--line) } .cards tbody tr:first-child { border-top: 0 }
  .cards tbody th { display: block; border: 0; padding: .1rem 0 .2rem; min-width: 0 }
  .cards td { display: flex; justify-content: space-between; gap: 1rem; border: 0; padding: .1rem 0; text-align: left; white-space: normal; min-width: 0 }
  .cards td[data-label]::before { content: attr(data-label); color: var(--dim); flex: none } .cards .cell { text-align: right; min-width: 0 } .cards .empty { display: none }
}
@media (prefers-reduced-motion: no-preference) { .problems li, .banner { transition: background .2s } }
`;
