/** Files of invented people, their addresses at the domains of real lists (reference figures of 170 million addresses). */
import { pickDomain } from '../../../scripts/demo-data/domains.ts';
import { seededRandom } from '../../../src/testing/smtp-sink/seeded-random.ts';

const random = seededRandom(26);
const lines: string[] = [];
const header = 'email,first_name,city,tier\r\n';
const tiers = ['gold', 'silver', 'none'];

/** The same people for every tenant: lists overlap, and making them up costs this process more than importing them costs Sluice. */
export function csvOf(recipients: number): string {
  while (lines.length < recipients) lines.push(line(lines.length));
  return header + lines.slice(0, recipients).join('');
}

function line(n: number): string {
  const name = `fake.${n.toString(36)}`;
  return `${name}@${pickDomain(random)},Fake ${n},Town ${n % 97},${tiers[n % tiers.length]}\r\n`;
}
