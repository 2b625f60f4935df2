/** docs/black-friday.md. Pure: what it says of a run is taken from the run. */
import {
  cpuMicroseconds,
  databasePerSecond,
  measuredMicroseconds,
  perSecondAndWorker,
  redisCosts,
} from '../../src/testing/black-friday/calibration.ts';
import { bestConcurrency, connectionsPerWorker } from '../../src/testing/black-friday/naive-workers.ts';
import {
  cellPeakPerSecond,
  cells,
  type DayResult,
  type NaiveResult,
} from '../../src/testing/black-friday/play-day.ts';
import { peakPerSecond, publishedDay } from '../../src/testing/black-friday/published-day.ts';
import { isWithin, outage } from '../../src/testing/black-friday/trouble.ts';
import { dayTable, designsTable, highest, outageTable, seconds, waitsTable, whole } from './figures.ts';

const image = (name: string, alt: string) => `![${alt}](images/black-friday/${name}.svg)`;

export function writeReport(day: DayResult, seed: number): string {
  return [head(seed), results(day), naiveDesigns(day), theDay(day), theModel(), calibration(), limits()]
    .join('\n\n')
    .concat('\n');
}

function head(seed: number): string {
  return `# Black Friday, played

<!-- Written by \`npm run simulate -- --day black-friday --seed ${seed}\`; edit scripts/black-friday/report.ts instead. -->

The published Black Friday at its size, on a virtual clock, with Sluice's own policies: the same code that runs in the dispatcher decides here who is sent to next, how fast,
and by how many workers. One command plays it and writes this page: \`npm run simulate -- --day black-friday\` (about a minute of one core; the same seed gives the same page).
A simulation is no measurement: what is modelled, what was measured and what is assumed is said below.`;
}

function results(day: DayResult): string {
  const { waits } = day.sluice;
  const small = waits.percentiles('smallest');
  const fifo = of(day, 'one FIFO').waits.percentiles('smallest');
  return `## What came out

${dayTable(day)}

Time to first attempt, from the scheduled time of the campaign, over all messages of the day with the outage and the lost cell in it; what had not
been tried two hours after midnight counts with the wait it had by then:

${waitsTable(day)}

The smallest tenants' median message leaves after ${seconds(small.p50)} and 99 of 100 within ${seconds(small.p99)}, though whales are sending all day; with one FIFO it is
${seconds(fifo.p50)} and ${seconds(fifo.p99)}. A whale waits for its own size, its providers'
limits and the turns of the others: its median is later than in a FIFO, where it goes before all who came after it.

${image('first-attempts', 'Time to first attempt, by design')}

${image('backlog', 'What waits, over the day')}

${image('backlog-peak', 'What waits, around the peak')}

### The outage at the peak

Five minutes into the peak hour, with the cell's largest campaign just begun, one provider with 22.6 % of all recipients can't be reached for half an hour. Its breaker opens, its
messages go back to the ledger, and one probe at a time tries it. The others go on as fast as their own limits allow; afterwards it takes its backlog at its limit.

${outageTable(day)}

${image('outage', 'Sent, by provider')}

${image('outage-backlog', 'Waiting, by provider')}

### Workers, Redis and MySQL

Workers follow the sendable backlog: what waits for a provider's limit starts nobody. They come before the campaigns that are scheduled, and a quarter of them goes at a time.
The deploy at noon takes one of each pool at a time. At 14:02 the cell is lost for three minutes, workers, Redis and all: its dispatched chunks come back, its rates start cold, and its fleet starts from nothing.

${image('workers', 'Workers')}

${image('workers-naive', 'Workers, beside a fleet scaled by CPU')}

Redis holds the seconds under way, however much waits:

${image('redis', 'Bytes in Redis')}

${image('statements', 'Statements a second')}`;
}

function naiveDesigns(day: DayResult): string {
  const perTenant = of(day, 'a queue per tenant');
  const whale = perTenant.waits.percentiles('whales');
  const byCpu = of(day, 'scaled by CPU');
  const fewest = Math.min(
    ...byCpu.samples.filter(({ atMs }) => isWithin(atMs, outage)).map(({ workers }) => workers),
  );
  const crowd = highest(of(day, 'scaled by CPU and panic').samples, ({ workers }) => workers);
  const slower = databasePerSecond(bestConcurrency) / databasePerSecond(crowd * connectionsPerWorker);
  return `## What naive designs would have done

The same campaigns, providers and outage; no cell is lost and nothing is deployed. A job per recipient in Redis; the FIFO and the queues per tenant have as many workers as the peak needs, so that
they don't fail for want of machines, although each message costs them ${whole(cpuMicroseconds.jobPerRecipient / (cpuMicroseconds.send + cpuMicroseconds.render))} times the CPU.

${designsTable(day)}

- **One FIFO.** A small tenant's messages stand behind every whale that was scheduled in the same minute. It doesn't know destinations: when one provider is away, each of its messages holds a connection until a time-out of
  30 s, until nearly all connections wait for it (Little's law: 22.6 % of the messages for 30 s are more than all others for 0.25 s), and the other four fifths of the recipients wait with them. What a provider
  refuses is tried again in a minute, whatever the provider said.
- **A queue per tenant, in turn.** It is fair between tenants, and small ones begin even sooner than with Sluice. But the outage takes its connections just the same; all that is pending lies in Redis
  (${whole((highest(perTenant.samples, ({ redisBytes }) => redisBytes) * cells) / 1e9)} GB on all cells at the worst moment, where Sluice has ${whole((highest(day.sluice.samples, ({ redisBytes }) => redisBytes) * cells) / 1e6)} MB); and Redis's one thread visits
  ${whole(day.tenants)} queues in each round to find the few that have something. The fewer tenants are left, the more of its time goes to empty queues: the whales' p50 is ${seconds(whale.p50)}, and the fleet stands idle beside it.
- **Scaled by CPU.** During the outage workers wait for time-outs, their CPU falls, and the fleet shrinks to ${fewest}, its minimum, while messages pile up. When the provider is back,
  workers come minutes late, each with database connections of its own. Beyond some hundred statements at once a database does fewer of them; then workers wait for it, their CPU looks moderate, and nothing says
  that they are too many.
- **And panic.** The same, and after a quarter of an hour of alarm people double the fleet every ten minutes, for an hour. Then ${crowd} workers have ${whole(crowd * connectionsPerWorker)} connections, and the database does a
  ${whole(slower)}th of what it could: the backlog grows faster than before. This is what was published of a big sender's Cyber Monday: campaigns hours late, then a database overloaded by the capacity that was added.

Sluice's fleet shares 120 connections however many workers there are (ADR 9), and asks for no more workers than those serve.`;
}

function of(day: DayResult, title: string): NaiveResult {
  return day.naive.find((design) => design.title === title) as NaiveResult;
}

function theDay({ tenants, largestTenant, smallestTenant, campaigns }: DayResult): string {
  return `## The day

- **Size.** ${(publishedDay.messages / 1e9).toFixed(3)} billion messages, a quarter of the 22.7 billion that Klaviyo published for the four days of 2025. The peak hour is 1.85 times the day's mean (SendGrid 2021 and 2022), the
  peak minute 1.85 times the peak hour's (Klaviyo 2023). The figures are of different years: together they make ${whole(peakPerSecond)} a second, more than the published 193,000. The harder of the two is played.
- **Tenants.** ${whole(publishedDay.tenants)} by Zipf and Mandelbrot, (rank + 100) ^ -1.3: the largest sends ${whole(largestTenant)} messages that day, the smallest of this cell ${whole(smallestTenant)}. One to three campaigns each.
- **Schedules.** By the hour as above; within it 40 % on :00, 25 % on :30, 5 % each on :15 and :45. What is sent in the busiest minute is then bounded by what providers take, so their limits are set around the published peak.
- **Providers.** Gmail 50.1 %, Yahoo 22.6, Microsoft 12.4, Comcast 2.0, Apple 1.6, AT&T 1.1, the tail 10.2 (reference figures of 170 million addresses). Gmail takes just its share of the peak, the
  others 1.2 to 2 times that; beyond it they answer 421. They don't say so beforehand: the limits are learnt. 5 % are deferred at first, 1.07 % bounce.
- **Trouble.** Yahoo away from 9:05 to 9:35; a rolling deploy from 12:00; the cell lost from 14:02 to 14:05.

The platform is ${cells} cells, each with its own MySQL, Redis, dispatcher and addresses; tenants are placed by size. **One cell is played in detail**, the one with the largest tenant: ${whole(tenants)} tenants, ${whole(campaigns.length)}
campaigns, ${whole(cellPeakPerSecond)} messages a second at the peak. The others are alike, and figures of the platform are ${cells} times those of this cell.`;
}

function theModel(): string {
  return `## What is real in it

Imported from the code, not copied: \`planShares\`, \`planGrants\` and \`hasRoom\` of src/dispatch with their turns and 500 lanes a pass; \`observe\`, \`tick\` and \`paceOf\` of src/pacing with windows, learnt rates and
breakers; \`decidePools\`, \`sendableMessages\` and \`allowedPerSecond\` of src/scaling; \`toResult\` of src/send for retries; the page size of src/schedule. Settings are the defaults, but for windows: 28,000
messages a destination and 84,000 a cell (DISPATCH_WINDOW_MESSAGES, DISPATCH_TOTAL_MESSAGES).

Messages are counted by campaign and destination instead of being named, so a lane's fresh messages are one chunk and its retries another. Time goes in steps of a second: passes, reports and learning are up to twenty times coarser than in the
processes, which makes waits up to two seconds longer and refusals more.`;
}

function calibration(): string {
  const worker = (microseconds: number) =>
    `${whole(microseconds)} µs, ${whole(perSecondAndWorker(microseconds))} a second and worker`;
  const bySize = (process: keyof typeof measuredMicroseconds) => {
    const [at10Kilobytes, at40Kilobytes] = measuredMicroseconds[process];
    return `${whole(at10Kilobytes)} µs at 10 KB, ${whole(at40Kilobytes)} at 40 KB`;
  };
  return `## What was measured, and what is assumed

| figure | value | from |
|---|---|---|
| send, CPU a message of 33 KB | ${worker(cpuMicroseconds.send)} | bench-2026-11-21T1518-45b9a6a.txt (${bySize('send')}) |
| render, the same | ${worker(cpuMicroseconds.render)} | the same file (${bySize('render')}) |
| a job per recipient, the same | ${worker(cpuMicroseconds.jobPerRecipient)} | the same file (${bySize('jobPerRecipient')}) |
| a waiting job in Redis; Redis's time for a job; for a visit to an empty queue | ${redisCosts.jobBytes} bytes; ${redisCosts.jobMicroseconds} µs; ${redisCosts.emptyVisitMicroseconds} µs | queue-costs-2026-11-21T0843.txt |
| a rendered message in Redis | ${redisCosts.renderedBytes} bytes | \`encodedSize\` of the bench's template at 33 KB |
| statements | 11 a grant, 2 for each 64 messages of one, 18 a page of 5,000, 120 a second for passes | counted in the code |
| expansion | 50,000 recipients a second | the budget of the design |
| worker | one core, 70 % used; 45 s to start | assumed |
| answer over an open connection; time-out | 0.25 s; 30 s | assumed |
| naive database | throughput peaks at 400 statements at once and falls beyond (universal scalability law); 20 connections a worker | assumed |
| CPU scaling | Kubernetes' defaults at 70 %, 20 to 400 workers | assumed |

The result files are in load-tests/results. 33 KB is the median of 25 official MJML templates; figures of 10 and 40 KB are joined by a line.`;
}

function limits(): string {
  return `## What it doesn't show

- Transactional mail and flows: all messages are campaigns' here. How classes share is measured by \`npm run test:fairness\`.
- Crashes in detail: what a crash may leave in doubt is tested with real processes (docs/guarantees.md). Here the bound is counted.
- Limits on connections: providers limit by rate alone.
- All cells are struck by the outage at once, but the multiplied figures also lose each cell once, where in truth one is lost.
- A database that is slow for other reasons: Sluice's statements stay far below what the model's server does with 120 at once.`;
}
