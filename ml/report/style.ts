/** The report's style sheet: system fonts, two colour schemes, tabular figures. */
export const reportStyle = `
:root { --ink: #1a1d21; --soft: #5c6570; --line: #d9dee4; --paper: #fbfbfa; --card: #ffffff; --accent: #2457c5; --warn: #8a5a00; --warn-paper: #fff6e0 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --soft: #9aa4af; --line: #30363d; --paper: #0f1216; --card: #171b21; --accent: #7aa2f7; --warn: #f0c674; --warn-paper: #2a2413 }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif }
main { max-width: 1080px; margin: 0 auto; padding: 40px 24px 64px }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 8px; letter-spacing: -.01em; overflow-wrap: anywhere }
h2 { font-size: 1.15rem; margin: 0 0 12px }
header p { margin: 0; color: var(--soft); max-width: 70ch }
header b { color: var(--ink) }
section { margin-top: 40px }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 12px; margin-top: 28px }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 18px }
.tile span { color: var(--soft); font-size: .85rem }
.tile strong { display: block; font-size: 1.8rem; line-height: 1.25; font-variant-numeric: tabular-nums }
.tile small { color: var(--soft); font-variant-numeric: tabular-nums }
aside { margin-top: 28px; background: var(--warn-paper); border-radius: 10px; padding: 14px 20px; overflow-wrap: anywhere }
aside h2 { color: var(--warn); margin-bottom: 4px }
aside ul { margin: 0; padding-left: 20px }
.scroll { overflow-x: auto }
table { border-collapse: collapse; min-width: 50%; font-variant-numeric: tabular-nums; font-size: .92rem }
th, td { text-align: left; padding: 5px 18px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top }
th { color: var(--soft); font-weight: 500 }
td:first-child { white-space: nowrap }
.n { text-align: right; white-space: nowrap }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(280px, 1fr)); gap: 20px; margin-top: 8px }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px }
figcaption { text-align: center; font-size: .85rem; color: var(--soft) }
svg { width: 100%; height: auto; display: block }
.plots figure { max-width: 440px }
.bars { max-width: 760px }
svg text { fill: var(--soft); font-size: 10.5px }
.bars text { fill: var(--ink); font-size: 12px }
.grid { stroke: var(--line); stroke-width: 1 }
.line { fill: none; stroke: var(--accent); stroke-width: 2; stroke-linejoin: round }
.reference { fill: none; stroke: var(--soft); stroke-width: 1; stroke-dasharray: 4 4 }
.dot { fill: var(--accent); fill-opacity: .65 }
.mean { stroke: var(--ink); stroke-width: 2 }
.bar { fill: var(--accent) }
.note { color: var(--soft); font-size: .88rem; margin: 8px 0 0; max-width: 80ch }
footer { margin-top: 56px; color: var(--soft); font-size: .85rem }
@media print { body { background: none } .tile, figure { break-inside: avoid } }
`
