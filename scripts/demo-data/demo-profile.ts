/** The invented person with a number: the same one for the same seed, whatever was asked for before. */
import { type Random, seededHash, seededRandom } from '../../src/testing/smtp-sink/seeded-random.ts';
import { pickDomain } from './domains.ts';
import { type Country, categories, countries, deliveryNotes, products } from './people.ts';
import { createWeightedPick } from './weighted.ts';

/** The columns of the CSV file, in their order. `time_zone` is the profile's own; the others become attributes. */
export const columns = [
  'email',
  'first_name',
  'last_name',
  'city',
  'country',
  'locale',
  'time_zone',
  'loyalty_tier',
  'loyalty_points',
  'last_order_product',
  'last_order_total',
  'currency',
  'favourite_category',
  'signup_date',
  'recently_viewed',
  'coupon_code',
  'delivery_note',
] as const;

/** Everything is text, as in the file; '' is a field left empty. */
export type DemoProfile = Readonly<Record<(typeof columns)[number], string>>;

const millisecondsPerDay = 86_400_000;
const firstSignup = Date.UTC(2014, 2, 1);
const signupDays = 4_600;
const pickCountry = createWeightedPick(countries.map(({ weight }) => weight));
/** What dropping accents doesn't turn into ASCII. */
const romanised: Readonly<Record<string, string>> = { ł: 'l', ø: 'o', ß: 'ss', æ: 'ae', đ: 'd', ı: 'i' };

export function profileAt(seed: number, number: number): DemoProfile {
  const random = seededRandom(seededHash(seed, `profile ${number}`));
  const country = countries[pickCountry(random)] as Country;
  const first = pick(random, country.firstNames);
  const last = pick(random, country.lastNames);
  const [city, timeZone] = pick(random, country.places);
  return {
    email: `${localPart(random, { first, last, number })}@${pickDomain(random)}`,
    first_name: often(random, 0.94, spelling(first)),
    last_name: often(random, 0.97, spelling(last)),
    city: often(random, 0.9, city),
    country: country.code,
    locale: country.locale,
    time_zone: often(random, 0.95, timeZone),
    ...loyalty(random),
    ...lastOrder(random),
    currency: country.currency,
    favourite_category: often(random, 0.8, pick(random, categories)),
    signup_date: signupDate(random),
    recently_viewed: often(random, 0.65, viewed(random)),
    coupon_code: couponCode(seed, number),
    delivery_note: often(random, 0.05, pick(random, deliveryNotes)),
  };
}

/** Nobody's: each begins with `fake` and ends with the person's number, which also makes it unique. */
function localPart(
  random: Random,
  { first, last, number }: { first: string; last: string; number: number },
): string {
  const [given, family, tag] = [toAscii(first), toAscii(last), number.toString(36)];
  const styles = [
    `fake.${given}.${family}.${tag}`,
    `fake_${given[0]}${family}_${tag}`,
    `fake-${given}-${tag}`,
  ];
  return pick(random, styles);
}

/** Apostrophes stay: they are legal in a local part, and people have them. */
function toAscii(name: string): string {
  const roman = name.split('|')[1] ?? name;
  const plain = roman.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '');
  return plain.replace(/[^a-z']/g, (letter) => romanised[letter] ?? '');
}

function spelling(name: string): string {
  return name.split('|')[0] ?? name;
}

function loyalty(random: Random): Pick<DemoProfile, 'loyalty_tier' | 'loyalty_points'> {
  const chance = random();
  const points = Math.floor(random() * 400);
  if (chance < 0.07) return { loyalty_tier: 'gold', loyalty_points: String(2_000 + points * 7) };
  if (chance < 0.25) return { loyalty_tier: 'silver', loyalty_points: String(500 + points) };
  return { loyalty_tier: chance < 0.85 ? 'none' : '', loyalty_points: chance < 0.85 ? String(points) : '' };
}

function lastOrder(random: Random): Pick<DemoProfile, 'last_order_product' | 'last_order_total'> {
  const product = pick(random, products);
  const total = (9 + random() * 600).toFixed(2);
  const hasOrdered = random() < 0.7;
  return { last_order_product: hasOrdered ? product : '', last_order_total: hasOrdered ? total : '' };
}

function signupDate(random: Random): string {
  const day = Math.floor(random() * signupDays);
  return new Date(firstSignup + day * millisecondsPerDay).toISOString().slice(0, 10);
}

function viewed(random: Random): string {
  const count = 1 + Math.floor(random() * 4);
  return Array.from({ length: count }, () => pick(random, products)).join('|');
}

function couponCode(seed: number, number: number): string {
  return `BF26-${seededHash(seed, `coupon ${number}`).toString(36).toUpperCase().padStart(7, '0')}`;
}

function pick<T>(random: Random, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)] as T;
}

function often(random: Random, chance: number, value: string): string {
  return random() < chance ? value : '';
}
