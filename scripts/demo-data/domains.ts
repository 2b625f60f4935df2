/**
 * Where an audience in the United States has its mailboxes: shares of 170 million addresses mailed around 2020 (Mapp, as reported by
 * devicedaily). The 10.2 % that belong to no large provider are spread over 2,000 companies by Zipf's law; their domains end
 * in .example, which nobody can own (RFC 2606).
 */
import type { Random } from '../../src/testing/smtp-sink/seeded-random.ts';
import { createWeightedPick } from './weighted.ts';

/** Domain and share in percent; they add up to 89.8. */
const providers: readonly (readonly [string, number])[] = [
  ['gmail.com', 50.1],
  ['yahoo.com', 17],
  ['aol.com', 4.6],
  ['ymail.com', 0.6],
  ['rocketmail.com', 0.4],
  ['hotmail.com', 6.9],
  ['outlook.com', 3.9],
  ['live.com', 1.1],
  ['msn.com', 0.5],
  ['comcast.net', 2],
  ['icloud.com', 1.1],
  ['me.com', 0.3],
  ['mac.com', 0.2],
  ['att.net', 0.5],
  ['sbcglobal.net', 0.4],
  ['bellsouth.net', 0.2],
];

const tailSize = 2_000;
const kinds = list(
  'bakery books dental design farm garage glass law legal logistics motors optics paints pets plumbing press quilts roofing',
);
const places = list(
  'alder aspen birch brook canyon cedar clover cove creek delta elm fern granite harbor hazel heron juniper lake laurel maple',
);

const tailPercent = 10.2;
const pickProvider = createWeightedPick([...providers.map(([, percent]) => percent), tailPercent]);
const pickTailRank = createWeightedPick(Array.from({ length: tailSize }, (_, rank) => 1 / (rank + 1)));

export function pickDomain(random: Random): string {
  return providers[pickProvider(random)]?.[0] ?? tailDomain(pickTailRank(random));
}

function tailDomain(rank: number): string {
  const place = places[rank % places.length];
  const kind = kinds[Math.floor(rank / places.length) % kinds.length];
  const round = Math.floor(rank / (places.length * kinds.length));
  return `${place}-${kind}${round === 0 ? '' : round + 1}.example`;
}

function list(text: string): readonly string[] {
  return text.split(' ');
}
