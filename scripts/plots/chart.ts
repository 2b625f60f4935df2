/** A line, step, bar or dot chart as SVG: enough for the plots of docs/pacing.md, readable on white and on black. Pure. */

export interface ChartLine {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Default `line`. */
  readonly style?: 'line' | 'dashed' | 'bars' | 'dots';
}

export interface Band {
  readonly name: string;
  readonly from: number;
  /** Undefined: a moment. */
  readonly until?: number;
}

export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly ChartLine[];
  readonly bands?: readonly Band[];
  readonly isLogX?: boolean;
  /** The lowest top of the y axis. */
  readonly leastTop?: number;
}

const width = 860;
const height = 380;
const plot = { left: 70, top: 70, right: width - 20, bottom: height - 50 };
/** Okabe and Ito 2008: told apart by the colour-blind too. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];
const text = 'font-family="system-ui, sans-serif" font-size="13" fill="#222"';

interface Scales {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
}

export function drawChart(chart: Chart): string {
  const scales = scalesOf(chart);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(chart.title)}">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${plot.left}" y="24" ${text} font-weight="bold">${escapeXml(chart.title)}</text>`,
    ...(chart.bands ?? []).map((band) => drawBand(band, scales)),
    ...drawAxes(chart, scales),
    ...chart.lines.map((line, i) => drawLine(line, colourOf(i), scales)),
    ...drawLegend(chart.lines),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

function scalesOf({ lines, bands = [], isLogX = false, leastTop = 0 }: Chart): Scales {
  const points = lines.flatMap((line) => line.points);
  const xs = [...points.map(([x]) => x), ...bands.map(({ until, from }) => until ?? from)];
  const least = isLogX ? Math.max(1, Math.min(...xs)) : Math.min(0, ...xs);
  const most = Math.max(...xs, least + 1);
  const top = niceTop(Math.max(leastTop, ...points.map(([, y]) => y)));
  const [from, until] = isLogX ? [Math.log10(least), Math.log10(most)] : [least, most];
  const place = (value: number) => (isLogX ? Math.log10(Math.max(value, least)) : value);
  return {
    x: (value) => plot.left + ((place(value) - from) / (until - from)) * (plot.right - plot.left),
    y: (value) => plot.bottom - (Math.min(value, top) / top) * (plot.bottom - plot.top),
    xTicks: isLogX ? decades(least, most) : ticks(least, most),
    yTicks: ticks(0, top),
  };
}

function drawAxes({ xLabel, yLabel }: Chart, { x, y, xTicks, yTicks }: Scales): readonly string[] {
  return [
    ...yTicks.map(
      (tick) => `<path d="M${plot.left} ${round(y(tick))}H${plot.right}" stroke="#ddd"/>
<text x="${plot.left - 8}" y="${round(y(tick) + 4)}" ${text} text-anchor="end">${formatTick(tick)}</text>`,
    ),
    ...xTicks.map(
      (tick) => `<path d="M${round(x(tick))} ${plot.bottom}v5" stroke="#888"/>
<text x="${round(x(tick))}" y="${plot.bottom + 20}" ${text} text-anchor="middle">${formatTick(tick)}</text>`,
    ),
    `<path d="M${plot.left} ${plot.top}V${plot.bottom}H${plot.right}" fill="none" stroke="#888"/>`,
    `<text x="${(plot.left + plot.right) / 2}" y="${height - 10}" ${text} text-anchor="middle">${escapeXml(xLabel)}</text>`,
    `<text transform="translate(18 ${(plot.top + plot.bottom) / 2}) rotate(-90)" ${text} text-anchor="middle">${escapeXml(yLabel)}</text>`,
  ];
}

function drawBand({ name, from, until }: Band, { x }: Scales): string {
  const left = round(x(from));
  const area =
    until === undefined
      ? `<path d="M${left} ${plot.top}V${plot.bottom}" stroke="#999" stroke-dasharray="4 3"/>`
      : `<rect x="${left}" y="${plot.top}" width="${round(x(until) - x(from))}" height="${plot.bottom - plot.top}" fill="#f3e6d8"/>`;
  return `${area}\n<text x="${left + 4}" y="${plot.top + 14}" ${text} fill-opacity="0.8">${escapeXml(name)}</text>`;
}

function drawLine({ points, style = 'line' }: ChartLine, colour: string, { x, y }: Scales): string {
  if (style === 'dots') {
    const dots = points.map(([px, py]) => `<circle cx="${round(x(px))}" cy="${round(y(py))}" r="2.5"/>`);
    return `<g fill="${colour}" fill-opacity="0.7">${dots.join('')}</g>`;
  }
  if (style === 'bars') {
    const bars = points.map(
      ([px, py]) => `M${round(x(px))} ${plot.bottom}V${round(Math.min(y(py), plot.bottom))}`,
    );
    const barWidth = Math.max(1, Math.min(14, ((plot.right - plot.left) / points.length) * 0.7));
    return `<path d="${bars.join('')}" stroke="${colour}" stroke-width="${round(barWidth)}"/>`;
  }
  const path = points.map(([px, py], i) => `${i === 0 ? 'M' : 'L'}${round(x(px))} ${round(y(py))}`);
  const dashes = style === 'dashed' ? ' stroke-dasharray="6 4"' : '';
  return `<path d="${path.join('')}" fill="none" stroke="${colour}" stroke-width="1.8"${dashes}/>`;
}

function drawLegend(lines: readonly ChartLine[]): readonly string[] {
  let left = plot.left;
  return lines.map(({ name }, i) => {
    const at = left;
    left += 34 + name.length * 7.2;
    return `<rect x="${round(at)}" y="40" width="12" height="12" fill="${colourOf(i)}"/><text x="${round(at + 18)}" y="51" ${text}>${escapeXml(name)}</text>`;
  });
}

function colourOf(index: number): string {
  return colours[index % colours.length] as string;
}

function niceStep(span: number): number {
  const raw = span / 6;
  const power = 10 ** Math.floor(Math.log10(raw));
  return ([1, 2, 5, 10].find((n) => n * power >= raw) as number) * power;
}

function niceTop(most: number): number {
  if (most <= 0) return 1;
  const step = niceStep(most);
  return Math.ceil(most / step) * step;
}

function ticks(from: number, until: number): readonly number[] {
  const step = niceStep(until - from);
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.floor(until / step) - first + 1 }, (_, i) => (first + i) * step);
}

function decades(from: number, until: number): readonly number[] {
  const exponents = Array.from({ length: 8 }, (_, i) => i);
  return exponents
    .flatMap((exponent) => [1, 2, 5].map((n) => n * 10 ** exponent))
    .filter((tick) => tick >= from && tick <= until);
}

function formatTick(value: number): string {
  return Number(value.toPrecision(6)).toLocaleString('en');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(raw: string): string {
  return raw.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
