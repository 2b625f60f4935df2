/** `redis+cluster://[user:password@]host:6379,host2:6379`: some nodes of a Redis Cluster; the others are learnt from them. `rediss+cluster` is the same over TLS. */

export interface ClusterAddress {
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly isTls: boolean;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** Several hosts make no URL of the standard, so it is taken apart here. A cluster has database 0 alone. */
const shape = /^redis(s?)\+cluster:\/\/(?:([^@/]*)@)?([^@/?#]+)(?:\/0?)?$/;
const defaultPort = 6379;

/** Undefined where it isn't one: then it is the URL of one Redis. */
export function parseClusterUrl(text: string): ClusterAddress | undefined {
  const found = shape.exec(text);
  if (!found) return undefined;
  const [, tls, login, hosts = ''] = found;
  const nodes = hosts.split(',').map(parseNode);
  if (nodes.some((node) => !node)) return undefined;
  return { nodes: nodes as ClusterAddress['nodes'], isTls: tls === 's', ...parseLogin(login) };
}

function parseNode(text: string) {
  if (!URL.canParse(`redis://${text}`)) return undefined;
  const { hostname, port } = new URL(`redis://${text}`);
  return hostname && { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port || defaultPort) };
}

function parseLogin(login: string | undefined): Pick<ClusterAddress, 'username' | 'password'> {
  if (!login) return {};
  const [username = '', ...password] = login.split(':');
  return {
    username: decodeURIComponent(username) || undefined,
    password: decodeURIComponent(password.join(':')) || undefined,
  };
}
