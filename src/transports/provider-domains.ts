/**
 * Which mailbox provider an address's domain belongs to: the consumer domains of the large ones. Companies' own domains,
 * hosted or not, aren't here: only their MX records tell, and the tail shares hashed destinations.
 */

/** Exact domains per provider. */
const domains: Readonly<Record<string, string>> = {
  gmail: 'gmail.com googlemail.com',
  yahoo:
    'ymail.com rocketmail.com myyahoo.com aol.com aim.com verizon.net netscape.net love.com games.com wow.com ' +
    'att.net sbcglobal.net bellsouth.net pacbell.net ameritech.net swbell.net snet.net flash.net nvbell.net prodigy.net wans.net ' +
    'frontier.com frontiernet.net rogers.com sky.com',
  microsoft: 'hotmail.com outlook.com live.com msn.com passport.com windowslive.com webtv.net',
  apple: 'icloud.com me.com mac.com',
  comcast: 'comcast.net xfinity.com',
  charter: 'charter.net spectrum.net rr.com roadrunner.com brighthouse.com twc.com',
  cox: 'cox.net',
  gmx: 'gmx.de gmx.net gmx.com gmx.at gmx.ch gmx.info gmx.biz gmx.org gmx.eu gmx.fr gmx.us gmx.co.uk gmx.es web.de email.de mail.com',
  't-online': 't-online.de magenta.de',
  freenet: 'freenet.de',
  orange: 'orange.fr wanadoo.fr voila.fr',
  free: 'free.fr libertysurf.fr aliceadsl.fr',
  sfr: 'sfr.fr neuf.fr cegetel.net 9online.fr club-internet.fr numericable.fr noos.fr',
  laposte: 'laposte.net',
  libero: 'libero.it virgilio.it inwind.it iol.it blu.it giallo.it',
  tim: 'tim.it alice.it tin.it',
  bt: 'btinternet.com btopenworld.com talk21.com',
  virgin: 'virginmedia.com ntlworld.com blueyonder.co.uk virgin.net',
  talktalk: 'talktalk.net tiscali.co.uk',
  kpn: 'kpnmail.nl planet.nl hetnet.nl xs4all.nl telfort.nl',
  ziggo: 'ziggo.nl home.nl casema.nl upcmail.nl chello.nl',
  telenet: 'telenet.be',
  proximus: 'skynet.be proximus.be',
  bluewin: 'bluewin.ch',
  onet: 'onet.pl op.pl onet.eu vp.pl poczta.onet.pl',
  wp: 'wp.pl o2.pl tlen.pl',
  interia: 'interia.pl interia.eu poczta.fm',
  seznam: 'seznam.cz email.cz post.cz',
  mailru: 'mail.ru bk.ru list.ru inbox.ru internet.ru',
  yandex: 'yandex.ru yandex.com yandex.by yandex.kz yandex.ua ya.ru',
  ukrnet: 'ukr.net',
  naver: 'naver.com',
  daum: 'daum.net hanmail.net kakao.com',
  qq: 'qq.com foxmail.com vip.qq.com',
  netease: '163.com 126.com yeah.net vip.163.com',
  docomo: 'docomo.ne.jp',
  au: 'ezweb.ne.jp au.com',
  softbank: 'softbank.ne.jp i.softbank.jp vodafone.ne.jp',
  uol: 'uol.com.br bol.com.br',
  terra: 'terra.com.br',
  telstra: 'bigpond.com bigpond.net.au telstra.com',
  optus: 'optusnet.com.au',
  bell: 'bell.net sympatico.ca',
  shaw: 'shaw.ca',
  telus: 'telus.net',
  proton: 'proton.me protonmail.com pm.me protonmail.ch',
  zoho: 'zoho.com zohomail.com',
  fastmail: 'fastmail.com fastmail.fm',
  rediff: 'rediffmail.com',
};

/** Providers with a domain per country: `yahoo.fr`, `yahoo.co.uk`, `hotmail.com.br`. */
const countryVariants: Readonly<Record<string, string>> = {
  yahoo: 'yahoo',
  aol: 'yahoo',
  hotmail: 'microsoft',
  outlook: 'microsoft',
  live: 'microsoft',
  windowslive: 'microsoft',
};

/** Yahoo Japan is another company with servers of its own. */
const exceptions: Readonly<Record<string, string>> = {
  'yahoo.co.jp': 'yahoo-japan',
  'ybb.ne.jp': 'yahoo-japan',
};

/** All that `providerOf` may answer. */
export const providersByDomain: readonly string[] = [
  ...new Set([...Object.keys(domains), ...Object.values(countryVariants), ...Object.values(exceptions)]),
];

const providerByDomain: ReadonlyMap<string, string> = new Map([
  ...Object.entries(domains).flatMap(([provider, list]) =>
    list.split(' ').map((domain): [string, string] => [domain, provider]),
  ),
  ...Object.entries(exceptions),
]);

const countryDomain = /^([a-z]+)\.(?:com|[a-z]{2}|(?:com?|ne)\.[a-z]{2})$/;

/** The provider's name, or undefined for a domain of the long tail. Takes any case. */
export function providerOf(domain: string): string | undefined {
  const name = domain.toLowerCase();
  const known = providerByDomain.get(name);
  if (known) return known;
  const brand = countryDomain.exec(name)?.[1];
  return brand !== undefined && Object.hasOwn(countryVariants, brand) ? countryVariants[brand] : undefined;
}
