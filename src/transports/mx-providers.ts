/**
 * Whose servers take a domain's mail, by the names of its MX hosts: companies' own domains are mostly hosted by a few. The longest
 * suffix decides. Names as published by the providers and seen in KumoMTA's shaping rules, 2025 and 2026.
 */

const suffixes: Readonly<Record<string, string>> = {
  gmail: 'google.com googlemail.com',
  microsoft: 'outlook.com hotmail.com office365.us mx.microsoft',
  yahoo: 'yahoodns.net yahoo.com aol.com',
  apple: 'icloud.com apple.com',
  comcast: 'comcast.net',
  charter: 'charter.net rr.com',
  cox: 'cox.net',
  gmx: 'gmx.net web.de mail.com kundenserver.de perfora.net ionos.com ionos.de ionos.co.uk ionos.fr ionos.es',
  't-online': 't-online.de',
  orange: 'orange.fr wanadoo.fr',
  free: 'free.fr',
  sfr: 'sfr.fr',
  ovh: 'ovh.net mail.ovh.net',
  libero: 'libero.it iol.it',
  bt: 'bt.lon5.cpcloud.co.uk btinternet.com',
  proofpoint: 'pphosted.com ppe-hosted.com gpphosted.com',
  mimecast: 'mimecast.com mimecast.co.za mimecast-offshore.com',
  barracuda: 'barracudanetworks.com',
  cisco: 'iphmx.com',
  messagelabs: 'messagelabs.com',
  trendmicro: 'trendmicro.com trendmicro.eu',
  sophos: 'sophos.com',
  hornet: 'hornetsecurity.com antispameurope.com',
  spamexperts: 'antispamcloud.com',
  amazon: 'amazonaws.com awsapps.com',
  zoho: 'zoho.com zoho.eu zoho.in zohomail.com',
  proton: 'protonmail.ch proton.me',
  fastmail: 'messagingengine.com',
  rackspace: 'emailsrvr.com',
  godaddy: 'secureserver.net',
  namecheap: 'privateemail.com registrar-servers.com',
  yandex: 'yandex.net yandex.ru',
  mailru: 'mail.ru',
  qq: 'qq.com',
  netease: '163.com netease.com mxmail.netease.com',
  alibaba: 'mxhichina.com aliyun.com',
  forwardemail: 'forwardemail.net',
  cloudflare: 'mx.cloudflare.net',
};

export const providersByMx: readonly string[] = Object.keys(suffixes);

const providerBySuffix: ReadonlyMap<string, string> = new Map(
  Object.entries(suffixes).flatMap(([provider, list]) =>
    list.split(' ').map((suffix): [string, string] => [suffix, provider]),
  ),
);

/** The provider that runs this host, or undefined. Takes any case, and a trailing dot. */
export function providerOfMxHost(host: string): string | undefined {
  const labels = host.toLowerCase().replace(/\.$/, '').split('.');
  for (let from = 0; from < labels.length - 1; from++) {
    const provider = providerBySuffix.get(labels.slice(from).join('.'));
    if (provider !== undefined) return provider;
  }
  return undefined;
}
