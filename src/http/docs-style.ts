/** The style of the documentation page, in light and dark. */
export const docsStyle = `
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--link:light-dark(#0b57d0,#8ab4f8)}
*{box-sizing:border-box}body{margin:0;font:16px/1.55 system-ui,sans-serif;display:grid;grid-template-columns:15rem 1fr}
nav{position:sticky;top:0;height:100vh;overflow:auto;padding:1.5rem 1rem;border-right:1px solid var(--line);display:flex;flex-direction:column;gap:.4rem}
main{padding:1.5rem 2rem;max-width:60rem;min-width:0}a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
h2{margin-top:3rem;border-bottom:1px solid var(--line)}h3{margin:2.2rem 0 .3rem}h4{margin:1rem 0 .2rem;font-size:.9rem}
code,.path{font:.88em ui-monospace,monospace;background:var(--soft);padding:.1em .3em;border-radius:.25em;overflow-wrap:anywhere}
.method{font:700 .75rem ui-monospace,monospace;padding:.2em .5em;border-radius:.3em;color:#fff;background:#57606a;text-transform:uppercase}
.get{background:#0b66c3}.post{background:#1a7f37}.delete{background:#b3261e}.patch,.put{background:#9a5b00}
table{border-collapse:collapse;table-layout:fixed;width:100%;margin:.3rem 0 .8rem;font-size:.92rem}td,th{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line)}
td{overflow-wrap:anywhere}th:first-child{width:11%}:is(.parameters,.fields,.errors) th:first-child{width:27%}
.parameters th:nth-child(2),.errors th:nth-child(2){width:9%}.parameters th:nth-child(3){width:27%}.fields th:nth-child(2){width:36%}.replies th:nth-child(2){width:52%}.errors th:nth-child(4){width:13%}
.muted{opacity:.7}@media(max-width:50rem){body{display:block}nav{position:static;height:auto;flex-flow:wrap;border:0}main{padding:1rem}table{display:block;overflow-x:auto}td{overflow-wrap:break-word}td:first-child code{white-space:nowrap}}
`.trim();
